//! The description of the API (OpenAPI 3.1), written by hand: few addresses, and a test that none is missing.

use serde_json::{Value, json};

/// The document of `/api/v1/openapi.json`.
pub(crate) fn document() -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Netroom",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Switch ports: state now, and their history. Times are milliseconds since 1970-01-01 UTC where \
                a snapshot is told, seconds where a window is asked for. An unknown value is null, never 0; its reason is in \"gap\"."
        },
        "paths": {
            "/api/v1/openapi.json": path("This document", &[], &json!({ "type": "object" })),
            "/api/v1/overview": path("Counts by state, the sum of traffic, and the largest talkers", &[], &json!({ "type": "object" })),
            "/api/v1/devices": path("All devices in the order of the configuration", &[], &of("devices", array("Device"))),
            "/api/v1/devices/{name}": path(
                "One device with its ports",
                &[in_path("name", "The configured name", "string")],
                &json!({ "type": "object", "properties": { "device": reference("Device"), "ports": array("Port") } }),
            ),
            "/api/v1/hosts": path("All pinged hosts and devices with their last round and services", &[], &json!({ "type": "object" })),
            "/api/v1/hosts/{name}": path(
                "One pinged host or device",
                &[in_path("name", "The configured name", "string")],
                &json!({ "type": "object" }),
            ),
            "/api/v1/detections": path(
                "What is held against machines now",
                &[
                    in_query("level", "suspect, virus, block-worthy, label, or over for what has ended; all that holds without it", "string"),
                    in_query("kind", "The behaviour, as tcp-scan", "string"),
                    in_query("q", "A part of an address or name", "string"),
                ],
                &json!({ "type": "object" }),
            ),
            "/api/v1/traffic": path(
                "Octets by coarse class of traffic since the start, and by hour for a day with the machines that had most of each class",
                &[],
                &json!({ "type": "object" }),
            ),
            "/api/v1/machines": path(
                "Machines that were seen since the start, by address, 1000 at a time",
                &[in_query("after", "The address in `next` of the answer before", "string")],
                &json!({ "type": "object" }),
            ),
            "/api/v1/machines/{address}": path(
                "One machine: who it is, its day in steps of 300 s as [start, contacts, failed, targets], whom it turns to, what is held for and against it",
                &[in_path("address", "A MAC address in any notation or an IP address", "string")],
                &json!({ "type": "object" }),
            ),
            "/api/v1/captures": captures(),
            "/api/v1/captures/{id}": path("One capture", &[capture_id()], &reference("Capture")),
            "/api/v1/captures/{id}/file": path_of(
                "The frames as pcap, once the file has been found to be what was recorded; each download is in the journal",
                &[capture_id()], "application/vnd.tcpdump.pcap", &json!({ "type": "string", "format": "binary" }),
            ),
            "/api/v1/captures/{id}/approve": capture_act("Allow a capture that somebody else asked for", false),
            "/api/v1/captures/{id}/refuse": capture_act("Refuse a capture", true),
            "/api/v1/captures/{id}/withdraw": capture_act("Take the own request back", false),
            "/api/v1/captures/{id}/hold": capture_act("Keep the file for longer than 30 days", true),
            "/api/v1/captures/{id}/release": capture_act("End the hold", false),
            "/api/v1/captures/{id}/delete": capture_act("Delete the file before its time", true),
            "/api/v1/ports": path("Ports: filtered, sorted, a page at a time", &list_parameters(), &json!({
                "type": "object",
                "properties": {
                    "found": { "type": "integer" }, "page": { "type": "integer" }, "pages": { "type": "integer" },
                    "per": { "type": "integer" }, "ports": array("Port"),
                },
            })),
            "/api/v1/ports/{id}": path("One port with all its counters", &[port_id()], &json!({
                "type": "object",
                "properties": { "port": reference("Port"), "metrics": { "type": "object" } },
            })),
            "/api/v1/ports/{id}/history": path("Curves of a port at equal steps", &past_parameters(), &reference("Curves")),
            "/api/v1/ports/{id}/history.csv": path_of("The same as a table", &past_parameters(), "text/csv", &json!({ "type": "string" })),
            "/api/v1/ports/{id}/percentile": path(
                "A percentile of the 5-minute averages, bits per second",
                &[port_id(), window("from"), window("to"), in_query("percent", "0 to 100, 95 unless told", "number")],
                &json!({ "type": "object", "properties": { "in_bps": number(), "out_bps": number() } }),
            ),
            "/api/v1/journal": path(
                "Events of the journal, the newest first; takes the permission read_journal",
                &[in_query("before", "Only events before this number", "integer")],
                &json!({ "type": "object", "properties": { "events": { "type": "array", "items": { "type": "object" } } } }),
            ),
            "/api/v1/notices": path(
                "Messages of the outbox, newest first: what went to whom, and with which result",
                &[in_query("state", "Those in one state: queued, sending, sent, deferred, failed, uncertain, spared", "string")],
                &of("notices", json!({ "type": "array" })),
            ),
            "/api/v1/incidents": path(
                "What is wrong now, the gravest first",
                &[
                    in_query("q", "Text in subject or rule", "string"),
                    in_query("severity", "At least: info, minor, major or critical", "string"),
                    in_query("acknowledged", "no: only those that nobody has acknowledged", "string"),
                ],
                &of("incidents", json!({ "type": "array" })),
            ),
            "/api/v1/incidents/history": path(
                "Incidents of any time, the newest first, 500 at most",
                &[
                    in_query("q", "Text in subject, rule, facts or comments", "string"),
                    in_query("severity", "At least", "string"),
                    in_query("before", "Only numbers below this one: the next page", "integer"),
                ],
                &of("incidents", json!({ "type": "array" })),
            ),
            "/api/v1/incidents/{id}": path("One incident with what it takes along and its log", &[incident_id()], &json!({ "type": "object" })),
            "/api/v1/incidents/{id}/act": act(),
            "/api/v1/maintenance": path("The windows that are open or to come", &[], &of("windows", json!({ "type": "array" }))),
            "/api/v1/events": path_of(
                "The log of incidents as server-sent events, a JSON object each; goes on behind Last-Event-ID",
                &[in_query("after", "The last entry that the reader has; the newest unless told", "integer")],
                "text/event-stream",
                &json!({ "type": "string" }),
            ),
            "/api/v1/changes": path("The last changes of state since the start, newest first", &[], &of("changes", json!({ "type": "array" }))),
        },
        "components": { "schemas": schemas() },
    });
    if let (Some(paths), Value::Object(blocks)) = (document["paths"].as_object_mut(), block_paths()) {
        paths.extend(blocks);
    }
    document
}

fn path(summary: &str, parameters: &[Value], answer: &Value) -> Value {
    path_of(summary, parameters, "application/json", answer)
}

fn path_of(summary: &str, parameters: &[Value], kind: &str, answer: &Value) -> Value {
    let mut content = serde_json::Map::new();
    content.insert(kind.to_owned(), json!({ "schema": answer }));
    json!({
        "get": {
            "summary": summary,
            "parameters": parameters,
            "responses": {
                "200": { "description": summary, "content": content },
                "default": {
                    "description": "Why there is no answer",
                    "content": { "application/json": { "schema": reference("Error") } },
                },
            },
        },
    })
}

fn in_path(name: &str, meaning: &str, kind: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": meaning, "schema": { "type": kind } })
}

fn in_query(name: &str, meaning: &str, kind: &str) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": meaning, "schema": { "type": kind } })
}

fn incident_id() -> Value {
    in_path("id", "The incident's number", "integer")
}

/// What a person does with an incident.
fn act() -> Value {
    let form = json!({
        "type": "object",
        "required": ["what"],
        "properties": {
            "what": { "enum": ["acknowledge", "release", "comment", "mute", "unmute"] },
            "comment": { "type": "string" },
            "hours": { "type": "string", "description": "For how many hours; needed to mute" },
        },
    });
    posted(path("Acknowledge, give back, comment, mute or unmute an incident", &[incident_id()], &json!({ "type": "object" })), Some(&form))
}

/// What was described as read is sent, with a body in this form.
fn posted(mut described: Value, form: Option<&Value>) -> Value {
    if let Some(operations) = described.as_object_mut()
        && let Some(mut operation) = operations.remove("get")
    {
        if let Some(form) = form {
            operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": form } } });
        }
        operations.insert("post".to_owned(), operation);
    }
    described
}

/// The addresses of location and blocks.
fn block_paths() -> Value {
    json!({
        "/api/v1/locate/{what}": path(
            "Where a machine sits: every place with its points and reasons, the likeliest first",
            &[in_path("what", "A MAC address in any notation, or an IP address", "string")],
            &of("machines", json!({ "type": "array", "items": { "type": "object" } })),
        ),
        "/api/v1/blocks": blocks(),
        "/api/v1/blocks/protected": path(
            "Whom no block touches, and what protects one machine",
            &[in_query("machine", "A MAC or IP address", "string")], &of("lines", json!({ "type": "array", "items": { "type": "object" } })),
        ),
        "/api/v1/ports/{id}/work": posted(path("Set something on a port: `deed` is down, up, bounce, power_cycle, vlan (with `pvid`) or alias (with `alias`); a session, never a token", &[port_id()], &answered()), Some(&texts(&["deed", "reason"]))),
        "/api/v1/blocks/freeze": posted(path("Block nothing without a person until a minute of the office's clock; an empty `until` ends a freeze", &[], &answered()), Some(&texts(&["until", "reason"]))),
        "/api/v1/blocks/reset": posted(path("Close the breaker", &[], &answered()), Some(&texts(&["reason"]))),
        "/api/v1/blocks/{id}": path("One block", &[block_id()], &reference("Block")),
        "/api/v1/blocks/{id}/approve": posted(path("Say yes to a block", &[block_id()], &answered()), None),
        "/api/v1/blocks/{id}/decline": posted(path("Say no to a block", &[block_id()], &answered()), Some(&texts(&["reason"]))),
        "/api/v1/blocks/{id}/release": posted(path("Give a machine back", &[block_id()], &answered()), Some(&texts(&["reason"]))),
    })
}

/// Blocks: listed and proposed.
fn blocks() -> Value {
    let parameters = [in_query("phase", "A phase, or `all`; those that are not over without it", "string")];
    let mut described = path("Blocks", &parameters, &of("blocks", array("Block")));
    let asked = posted(path("Propose that a machine be cut off", &[], &answered()), Some(&texts(&["machine", "reason"])));
    if let (Some(described), Some(asked)) = (described.as_object_mut(), asked.get("post")) {
        described.insert("post".to_owned(), asked.clone());
    }
    described
}

fn block_id() -> Value {
    in_path("id", "The block's number, without its B", "integer")
}

/// What the desk has answered to a wish; null while it has not.
fn answered() -> Value {
    of("answer", json!({ "type": ["string", "null"] }))
}

/// A form of texts.
fn texts(names: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "type": "object", "properties": properties })
}

/// Captures: listed and asked for.
fn captures() -> Value {
    let parameters = [
        in_query("machine", "Those of one machine, by its MAC or IP address", "string"),
        in_query("state", "asked, approved, running, kept, cut, failed, refused, withdrawn, lapsed or deleted", "string"),
        in_query("before", "Only those before this number; 500 are told at a time, the newest first", "integer"),
    ];
    let form = json!({
        "type": "object",
        "required": ["machine", "reason"],
        "properties": {
            "machine": { "type": "string", "description": "A MAC or IP address" },
            "reason": { "type": "string" },
            "seconds": { "type": "integer", "minimum": 1, "maximum": 60 },
            "mib": { "type": "integer", "minimum": 1, "maximum": 64 },
        },
    });
    let mut described = path("Captures of single hosts", &parameters, &of("captures", array("Capture")));
    let asked = posted(path("Ask for a capture of one host's frames", &[], &reference("Capture")), Some(&form));
    if let (Some(described), Value::Object(asked)) = (described.as_object_mut(), asked) {
        described.extend(asked);
    }
    described
}

fn capture_id() -> Value {
    in_path("id", "The capture's number", "integer")
}

/// Something done with a capture, which may take a reason.
fn capture_act(summary: &str, takes_reason: bool) -> Value {
    let form = json!({ "type": "object", "required": ["reason"], "properties": { "reason": { "type": "string" } } });
    posted(path(summary, &[capture_id()], &reference("Capture")), takes_reason.then_some(&form))
}

fn port_id() -> Value {
    in_path("id", "The port's number in the catalogue", "integer")
}

fn window(name: &str) -> Value {
    in_query(name, "Seconds since 1970-01-01 UTC", "integer")
}

fn past_parameters() -> Vec<Value> {
    vec![
        port_id(),
        window("from"),
        window("to"),
        in_query("step", "Seconds; the finest with at most 1,500 steps unless told", "integer"),
        in_query("kind", "traffic, utilisation, packets, broadcast, errors or discards", "string"),
        in_query("metrics", "Instead of kind: names with commas between, in_octets,out_octets ...", "string"),
    ]
}

fn list_parameters() -> Vec<Value> {
    vec![
        in_query("q", "Text in name, alias, description or device; or a MAC address in any notation", "string"),
        in_query("device", "Only this device", "string"),
        in_query("state", "up, down, shut or unknown", "string"),
        in_query("min", "Utilisation at least, percent", "number"),
        in_query("errors", "1: only ports that count errors or discards", "string"),
        in_query("sort", "device, name, alias, state, speed, in, out, used or errors; - in front for the largest first", "string"),
        in_query("page", "From 1", "integer"),
        in_query("per", "Rows a page, 500 at most", "integer"),
    ]
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn array(name: &str) -> Value {
    json!({ "type": "array", "items": reference(name) })
}

fn of(name: &str, value: Value) -> Value {
    let mut properties = serde_json::Map::new();
    properties.insert(name.to_owned(), value);
    json!({ "type": "object", "properties": properties })
}

fn number() -> Value {
    json!({ "type": ["number", "null"] })
}

fn schemas() -> Value {
    json!({
        "Error": {
            "type": "object",
            "properties": { "error": { "type": "object", "properties": { "code": { "type": "string" }, "message": { "type": "string" } } } },
        },
        "Device": {
            "type": "object",
            "properties": {
                "id": { "type": "integer" }, "name": { "type": "string" }, "address": { "type": "string" },
                "site": { "type": "string" }, "zone": { "enum": ["inner", "outer", "management"] },
                "interval_s": { "type": "integer" }, "ports": { "type": "integer" },
                "health": { "type": "object" }, "system": { "type": ["object", "null"] },
            },
        },
        "Port": {
            "type": "object",
            "properties": {
                "device": { "type": "string" }, "id": { "type": "integer" }, "if_index": { "type": "integer" },
                "name": { "type": "string" }, "alias": { "type": "string" }, "descr": { "type": "string" },
                "state": { "enum": ["up", "down", "shut", "unknown"] }, "speed_bps": { "type": ["integer", "null"] },
                "in_bps": number(), "out_bps": number(), "used_percent": number(),
                "errors_pps": number(), "discards_pps": number(), "gap": { "type": ["string", "null"] },
            },
        },
        "Block": {
            "type": "object",
            "properties": {
                "id": { "type": "integer" }, "name": { "type": "string" }, "mac": { "type": ["string", "null"] },
                "ip": { "type": ["string", "null"] }, "rule": { "type": "string" }, "reason": { "type": "string" },
                "phase": { "type": "string" }, "place": { "type": "string" }, "rails": { "type": "array", "items": { "type": "object" } },
                "votes": { "type": "array", "items": { "type": "object" } }, "order": { "type": ["object", "null"] },
                "varbinds": { "type": "array", "items": { "type": "string" } }, "before": { "type": ["object", "null"] },
                "after": { "type": ["object", "null"] }, "first": { "type": "integer" }, "opened": { "type": "integer" },
                "changed": { "type": "integer" }, "blocked": { "type": ["integer", "null"] }, "until": { "type": ["integer", "null"] },
                "released": { "type": ["integer", "null"] }, "took_ms": { "type": ["integer", "null"] },
                "follows": { "type": ["integer", "null"] }, "note": { "type": "string" }, "step": { "type": "integer" },
                "evidence": { "type": "object" }, "path": {},
            },
        },
        "Capture": {
            "type": "object",
            "properties": {
                "id": { "type": "integer" }, "machine": { "type": "string" }, "state": { "type": "string" },
                "seconds": { "type": "integer" }, "most_octets": { "type": "integer" },
                "asked": { "type": "object" }, "answered": { "type": ["object", "null"] },
                "started": { "type": ["integer", "null"] }, "ended": { "type": ["integer", "null"] },
                "counts": { "type": ["object", "null"] }, "sha256": { "type": ["string", "null"] },
                "fault": { "type": ["object", "null"] }, "hold": { "type": ["object", "null"] },
                "deleted": { "type": ["object", "null"] }, "until": { "type": ["integer", "null"] },
            },
        },
        "Curves": {
            "type": "object",
            "properties": {
                "t0": { "type": "integer", "description": "Start of the first step, seconds since 1970-01-01 UTC" },
                "step": { "type": "integer", "description": "Seconds" },
                "unit": { "type": "string" },
                "s": { "type": "array", "description": "For a kind: in, out, maxima of in, maxima of out", "items": { "type": "array", "items": number() } },
                "gaps": { "type": "array", "description": "[from, to, reason]: where samples are missing and why", "items": { "type": "array" } },
                "usual": { "type": "array", "description": "Where known, of traffic: in from, in to, out from, out to; what is usual in the same hour of past weeks", "items": { "type": "array", "items": number() } },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_address_of_the_api_is_described_and_no_other() {
        let document = super::document();
        let mut described: Vec<(String, String)> = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            described.extend(methods.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase())));
        }
        let mut routed: Vec<(String, String)> =
            super::super::api::rows().into_iter().map(|row| (row.path.to_owned(), row.method.to_string())).collect();
        described.sort_unstable();
        routed.sort_unstable();
        assert_eq!(described, routed);
    }
}
