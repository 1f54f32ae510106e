//! The whole API as an AsyncAPI 3 document, made from the types that are
//! written and read.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    CancelledJob, Captured, ClipNotice, ClipRecord, Health, Info, JobEvent, Pulled, Reloaded,
    Response, State,
    command::{RawCancel, RawCommand, RawGet},
    order::RawOrder,
};

/// What a channel carries.
enum Payload {
    /// A JSON document.
    Document(Value),
    /// Bytes of this media type.
    Bytes(&'static str),
    /// One of these words.
    Words(&'static [&'static str]),
}

/// Who speaks on a channel.
enum Speaker {
    /// The daemon.
    Board,
    /// Displays and others; where they are answered unless they say.
    Others(&'static str),
}

struct Channel {
    id: &'static str,
    address: &'static str,
    summary: &'static str,
    speaker: Speaker,
    payload: Payload,
    qos: u8,
    retain: bool,
}

/// The MQTT API as an AsyncAPI 3.0 document.
pub fn asyncapi() -> Value {
    let path = |settings: &mut SchemaSettings| settings.definitions_path = DEFINITIONS.into();
    // What is read and what is written differ in what may be left out.
    let mut read = SchemaSettings::draft07().with(path).into_generator();
    let mut written = SchemaSettings::draft07()
        .for_serialize()
        .with(path)
        .into_generator();
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    let mut all = requests(&mut read);
    all.extend(answers(&mut written));
    all.extend(reports(&mut written));
    for channel in &all {
        channels.insert(channel.id.to_owned(), described(channel));
        operations.insert(channel.id.to_owned(), operation(channel));
        messages.insert(channel.id.to_owned(), message(channel));
    }
    let mut schemas = read.take_definitions(true);
    schemas.extend(written.take_definitions(true));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Zoetrope",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A still photograph goes in, a seamless loop comes out. MQTT 5; \
                every JSON document is of version 1. Retained requests are ignored.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    })
}

/// Where the schemas stand in the document.
const DEFINITIONS: &str = "/components/schemas";

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Payload {
    Payload::Document(generator.subschema_for::<T>().to_value())
}

fn requests(read: &mut SchemaGenerator) -> Vec<Channel> {
    let request = |id, address, answer, summary, payload| Channel {
        id,
        address,
        summary,
        speaker: Speaker::Others(answer),
        payload,
        qos: 1,
        retain: false,
    };
    vec![
        request(
            "request_render",
            "zoetrope/{device_id}/request/render",
            "response_render",
            "Asks for a clip; an empty payload is the camera with all defaults.",
            of::<RawOrder>(read),
        ),
        request(
            "request_render_photo",
            "zoetrope/{device_id}/request/render_photo",
            "response_render_photo",
            "Asks for a clip of this photograph (JPEG, PNG or WebP); the options of \
             request/render are user properties. With the user property burst_fps the \
             payload is several JPEGs one after another: what was seen before the \
             photograph, so many times per second, and then the photograph.",
            Payload::Bytes("image/jpeg"),
        ),
        request(
            "request_capture",
            "zoetrope/{device_id}/request/capture",
            "response_capture",
            "Takes a still and publishes it as the poster, without rendering.",
            of::<RawCommand>(read),
        ),
        request(
            "request_cancel",
            "zoetrope/{device_id}/request/cancel",
            "response_cancel",
            "Ends a job that waits or is under way.",
            of::<RawCancel>(read),
        ),
        request(
            "request_reload",
            "zoetrope/{device_id}/request/reload",
            "response_reload",
            "Reads the configuration again; a wrong one is answered and changes nothing.",
            of::<RawCommand>(read),
        ),
        request(
            "request_health_check",
            "zoetrope/{device_id}/request/health_check",
            "response_health_check",
            "Asks for the health, which is also published.",
            of::<RawCommand>(read),
        ),
        request(
            "clip_get",
            "zoetrope/{device_id}/clip/{sha256}/get",
            "response_get",
            "Asks for a clip in chunks; an empty payload asks for all of them.",
            of::<RawGet>(read),
        ),
        request(
            "fleet_render",
            "zoetrope/jobs/render",
            "response_render",
            "A job that any board of a fleet may take, by a shared subscription \
             ($share/<group>/…). As request/render; with an image content type, as \
             request/render_photo.",
            of::<RawOrder>(read),
        ),
    ]
}

fn answers(written: &mut SchemaGenerator) -> Vec<Channel> {
    let answer = |id, address, payload| Channel {
        id,
        address,
        summary: "The one answer to a request that names no response topic; correlation data \
                  is returned.",
        speaker: Speaker::Board,
        payload,
        qos: 1,
        retain: false,
    };
    vec![
        answer(
            "response_render",
            "zoetrope/{device_id}/response/render",
            of::<Response<ClipNotice>>(written),
        ),
        answer(
            "response_render_photo",
            "zoetrope/{device_id}/response/render_photo",
            of::<Response<ClipNotice>>(written),
        ),
        answer(
            "response_capture",
            "zoetrope/{device_id}/response/capture",
            of::<Response<Captured>>(written),
        ),
        answer(
            "response_cancel",
            "zoetrope/{device_id}/response/cancel",
            of::<Response<CancelledJob>>(written),
        ),
        answer(
            "response_reload",
            "zoetrope/{device_id}/response/reload",
            of::<Response<Reloaded>>(written),
        ),
        answer(
            "response_health_check",
            "zoetrope/{device_id}/response/health_check",
            of::<Response<Health>>(written),
        ),
        answer(
            "response_get",
            "zoetrope/{device_id}/response/get",
            of::<Response<Pulled>>(written),
        ),
    ]
}

fn reports(written: &mut SchemaGenerator) -> Vec<Channel> {
    let report = |id, address, qos, retain, summary, payload| Channel {
        id,
        address,
        summary,
        speaker: Speaker::Board,
        payload,
        qos,
        retain,
    };
    vec![
        report(
            "availability",
            "zoetrope/{device_id}/availability",
            1,
            true,
            "Whether the daemon is connected; also the last will.",
            Payload::Words(&["online", "offline"]),
        ),
        report(
            "state",
            "zoetrope/{device_id}/state",
            1,
            true,
            "What the daemon is doing.",
            of::<State>(written),
        ),
        report(
            "info",
            "zoetrope/{device_id}/info",
            1,
            true,
            "What the daemon is and what it takes.",
            of::<Info>(written),
        ),
        report(
            "health",
            "zoetrope/{device_id}/health",
            0,
            true,
            "How the daemon and its board are doing; every 60 s.",
            of::<Health>(written),
        ),
        report(
            "job",
            "zoetrope/{device_id}/job/{job_id}",
            1,
            false,
            "What happens to a job; forgotten by the broker after an hour.",
            of::<JobEvent>(written),
        ),
        report(
            "clip",
            "zoetrope/{device_id}/clip",
            1,
            true,
            "The newest MP4 that fits one message; user properties job_id, sha256, width, \
             height, frames and loop.",
            Payload::Bytes("video/mp4"),
        ),
        report(
            "clip_info",
            "zoetrope/{device_id}/clip/info",
            1,
            true,
            "What is known of the newest clip; sent last.",
            of::<ClipRecord>(written),
        ),
        report(
            "clip_chunk",
            "zoetrope/{device_id}/clip/{sha256}/chunk/{index}",
            1,
            false,
            "One chunk of a clip that was asked for; user properties sha256, offset and total, \
             in bytes.",
            Payload::Bytes("application/octet-stream"),
        ),
        report(
            "poster",
            "zoetrope/{device_id}/poster",
            1,
            true,
            "The newest still, at most 100 KB.",
            Payload::Bytes("image/jpeg"),
        ),
    ]
}

fn described(channel: &Channel) -> Value {
    let parameters: Map<String, Value> = (channel.address.split('/'))
        .filter_map(|level| level.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let description = match name {
                "device_id" => "Names the board: 1 to 64 of a-z A-Z 0-9 - _.",
                "job_id" => "Names the job: 1 to 64 of a-z A-Z 0-9 - _ .",
                "sha256" => "SHA-256 of the clip, 64 of 0-9 a-f.",
                _ => "The chunk, from 0.",
            };
            (name.to_owned(), json!({ "description": description }))
        })
        .collect();
    let mut described = json!({
        "address": channel.address,
        "description": channel.summary,
        "messages": { channel.id: reference("components/messages", channel.id) },
    });
    if !parameters.is_empty() {
        described["parameters"] = Value::Object(parameters);
    }
    described
}

fn operation(channel: &Channel) -> Value {
    let mut operation = json!({
        "action": match channel.speaker {
            Speaker::Board => "send",
            Speaker::Others(_) => "receive",
        },
        "channel": reference("channels", channel.id),
        "summary": channel.summary,
        "messages": [message_in(channel.id)],
        "bindings": { "mqtt": {
            "qos": channel.qos,
            "retain": channel.retain,
            "bindingVersion": "0.2.0",
        }},
    });
    if let Speaker::Others(answer) = channel.speaker {
        operation["reply"] = json!({
            "channel": reference("channels", answer),
            "messages": [message_in(answer)],
        });
    }
    operation
}

fn message(channel: &Channel) -> Value {
    let (content_type, payload) = match &channel.payload {
        Payload::Document(schema) => ("application/json", schema.clone()),
        Payload::Bytes(kind) => (*kind, json!({ "type": "string", "format": "binary" })),
        Payload::Words(words) => ("text/plain", json!({ "type": "string", "enum": words })),
    };
    json!({ "name": channel.id, "contentType": content_type, "payload": payload })
}

fn reference(place: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{place}/{name}") })
}

fn message_in(id: &str) -> Value {
    reference(&format!("channels/{id}/messages"), id)
}
