//! The description of the MQTT API in `docs/` is what the types say.

use std::fs;

use serde_json::{Value, json};
use zoetrope::publication::asyncapi;

use crate::support::{repository, zoetrope};

#[test]
fn the_document_in_the_repository_is_the_one_that_the_types_make() {
    let path = repository("docs/asyncapi.json");
    let stands = fs::read_to_string(&path).unwrap_or_default();
    let made = zoetrope(["asyncapi"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(
        stands == made.stdout,
        "docs/asyncapi.json differs from the types; write it anew: zoetrope asyncapi > {}",
        path.display()
    );
}

/// Follows `#/a/b` in the document.
fn resolved<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let pointer = reference.strip_prefix('#').expect("within the document");
    let found = document.pointer(pointer);
    found.unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn every_reference<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(reference) if name == "$ref" => found.push(reference),
                    _ => every_reference(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| every_reference(item, found)),
        _ => {}
    }
}

/// The members that AsyncAPI 3.0 has in its root, channel, operation and
/// message objects.
const ROOT: [&str; 8] = [
    "asyncapi",
    "id",
    "info",
    "servers",
    "defaultContentType",
    "channels",
    "operations",
    "components",
];
const CHANNEL: [&str; 9] = [
    "address",
    "messages",
    "title",
    "summary",
    "description",
    "servers",
    "parameters",
    "tags",
    "bindings",
];
const OPERATION: [&str; 11] = [
    "action",
    "channel",
    "title",
    "summary",
    "description",
    "security",
    "tags",
    "bindings",
    "traits",
    "messages",
    "reply",
];
const MESSAGE: [&str; 12] = [
    "headers",
    "payload",
    "correlationId",
    "contentType",
    "name",
    "title",
    "summary",
    "description",
    "tags",
    "bindings",
    "examples",
    "traits",
];

fn has_only(value: &Value, allowed: &[&str]) {
    for name in value.as_object().expect("an object").keys() {
        assert!(
            allowed.contains(&name.as_str()),
            "{name} is no member of {allowed:?}"
        );
    }
}

#[test]
fn the_document_is_asyncapi_3() {
    let document = asyncapi();
    has_only(&document, &ROOT);
    assert_eq!(document["asyncapi"], "3.0.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut references = Vec::new();
    every_reference(&document, &mut references);
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        resolved(&document, reference);
    }
    for (id, channel) in document["channels"].as_object().unwrap() {
        has_only(channel, &CHANNEL);
        let address = channel["address"].as_str().unwrap();
        for level in address.split('/').filter(|level| level.starts_with('{')) {
            let name = level.trim_matches(['{', '}']);
            assert!(channel["parameters"][name].is_object(), "{id}: {name}");
        }
        assert_eq!(channel["messages"].as_object().unwrap().len(), 1, "{id}");
    }
    for (id, operation) in document["operations"].as_object().unwrap() {
        has_only(operation, &OPERATION);
        let action = operation["action"].as_str().unwrap();
        assert!(matches!(action, "send" | "receive"), "{id}: {action}");
        let channel = operation["channel"]["$ref"].as_str().unwrap();
        let message = operation["messages"][0]["$ref"].as_str().unwrap();
        assert!(message.starts_with(&format!("{channel}/messages/")), "{id}");
        assert_eq!(action == "receive", operation["reply"].is_object(), "{id}");
    }
    for message in document["components"]["messages"]
        .as_object()
        .unwrap()
        .values()
    {
        has_only(message, &MESSAGE);
        assert!(message["contentType"].is_string() && message["payload"].is_object());
    }
}

#[test]
fn the_schemas_say_what_is_required_and_what_is_not() {
    let document = asyncapi();
    let schema = |channel: &str| {
        let payload = &document["components"]["messages"][channel]["payload"];
        let reference = payload["$ref"].as_str();
        reference.map_or(payload, |reference| resolved(&document, reference))
    };
    let required = |channel: &str| schema(channel)["required"].clone();
    assert_eq!(required("request_cancel"), json!(["job_id"]));
    assert_eq!(required("request_render"), Value::Null);
    assert_eq!(schema("request_render")["additionalProperties"], false);
    let info = schema("clip_info");
    for name in ["v", "job_id", "sha256", "bytes", "inline", "codecs", "loop"] {
        assert!(info["properties"][name].is_object(), "{name}: {info}");
        assert!(
            info["required"].as_array().unwrap().contains(&json!(name)),
            "{name}"
        );
    }
    assert!(schema("health")["properties"]["renders_ok"].is_object());
}
