"""The scenes: each paints one kind of picture on a canvas, at random or as a style directs."""

from .closecloth import flag_close
from .closefire import fire_close
from .closewater import water_close
from .countryside import meadow, mountains, trees
from .dwellings import chimney, garden, potted
from .falls import waterfall
from .fountains import fountain
from .hearths import campfire, candles, fireplace
from .interiors import closeup, curtains, room, shelf
from .lookouts import lookout, town_fire, wildfire
from .petals import petals
from .streets import awnings, city, laundry_yard, street
from .tables import cafe, still_life
from .waterside import lake, river, sea

SCENES = {
    "lake": lake,
    "sea": sea,
    "river": river,
    "waterfall": waterfall,
    "fountain": fountain,
    "meadow": meadow,
    "mountains": mountains,
    "trees": trees,
    "garden": garden,
    "chimney": chimney,
    "wildfire": wildfire,
    "lookout": lookout,
    "town_fire": town_fire,
    "potted_plant": potted,
    "street": street,
    "city": city,
    "awning": awnings,
    "clothes_line": laundry_yard,
    "cafe": cafe,
    "curtains": curtains,
    "room": room,
    "shelf": shelf,
    "still_life": still_life,
    "closeup": closeup,
    "campfire": campfire,
    "fireplace": fireplace,
    "candles": candles,
    "flag_close": flag_close,
    "fire_close": fire_close,
    "water_close": water_close,
    "petals": petals,
}
