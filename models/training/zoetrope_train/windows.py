"""Crops on the device: of every picture another place, size and mirror."""

import numpy as np
import torch
import torch.nn.functional as F


class Windows:
    """A crop of each of several pictures: centre and extent in shares, and the mirror's sign."""

    def __init__(self, rng, across, down, device):
        """Random places for crops of `across` and `down` [n], shares of the whole up to 1."""
        larger = np.maximum(np.maximum(across, down), 1.0)
        across, down = across / larger, down / larger
        x = (1 - across) * (2 * rng.rand(len(across)) - 1)
        y = (1 - down) * (2 * rng.rand(len(down)) - 1)
        side = np.where(rng.rand(len(across)) < 0.5, -1.0, 1.0)
        rows = np.zeros((len(across), 2, 3), np.float32)
        rows[:, 0, 0], rows[:, 0, 2], rows[:, 1, 1], rows[:, 1, 2] = across * side, x, down, y
        self._affine = torch.from_numpy(rows).to(device)
        self.side = torch.from_numpy(side.astype(np.float32)).to(device)
        #: Change of a picture's aspect, [n].
        self.across_over_down = across / down
        self._down_over_across = torch.from_numpy(np.float32(down / across)).to(device)

    def cut(self, field, width, height):
        """The crops of a field [n, C, h, w], [n, C, height, width]."""
        size = (len(field), 1, height, width)
        grid = F.affine_grid(self._affine, size, align_corners=False)
        return F.grid_sample(field.float(), grid, "bilinear", "border", align_corners=False)

    def turn(self, batch, prefix, width, height):
        """Make flow and spectrum follow mirror and stretch, in widths of the whole picture."""
        side = self.side.view(-1, 1, 1, 1)
        stretch = (height / width) / self._down_over_across.view(-1, 1, 1, 1)
        flow, spectrum = batch[f"{prefix}flow"], batch[f"{prefix}spectrum"]
        batch[f"{prefix}flow"] = torch.cat([flow[:, :1] * side, flow[:, 1:] * stretch], 1)
        along_x = (torch.arange(spectrum.shape[1], device=flow.device) % 4 < 2).view(1, -1, 1, 1)
        batch[f"{prefix}spectrum"] = torch.where(along_x, spectrum * side, spectrum * stretch)

    def turned_wind(self, wind):
        """Winds [n, 2] as the mirrors show them."""
        return torch.stack([wind[:, 0] * self.side, wind[:, 1]], 1)
