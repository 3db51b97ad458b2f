//! What a client of Coder's documented API meets here: each route of users, groups, organizations,
//! roles, tokens, templates' lists and quota, and the shape of every answer.

mod deployment;
mod groups;
mod habits;
mod organizations;
mod roles;
mod shapes;
mod templates;
mod tokens;
mod users;

use http::Method;
use serde_json::Value;

use crate::harness::{Client, Reply, TestServer};
use shapes::Is;

/// A server, and someone who asks it as a program does.
pub struct Caller<'s> {
    pub server: &'s TestServer,
    pub who: Client,
}

impl<'s> Caller<'s> {
    /// Someone signed in.
    pub async fn new(server: &'s TestServer, name: &str) -> Self {
        Self { server, who: server.sign_in(name).await }
    }

    /// Calls a route below `/api/v2`; the answer has the documented status and shape.
    #[track_caller]
    pub fn call<'a>(
        &'a self,
        (method, path): (Method, &'a str),
        body: Option<Value>,
        (status, shape): (u16, &'a Is),
    ) -> impl Future<Output = Value> + 'a {
        let asked = format!("{method} {path}");
        let place = std::panic::Location::caller();
        async move {
            let path = format!("/api/v2{path}");
            let reply = self.server.call(&self.who, method, &path, body).await;
            answered(&reply, &format!("{place}: {asked}"), (status, shape))
        }
    }

    #[track_caller]
    pub fn get<'a>(&'a self, path: &'a str, shape: &'a Is) -> impl Future<Output = Value> + 'a {
        self.call((Method::GET, path), None, (200, shape))
    }

    /// Refused, with an error of Coder's shape that names `field` where one was wrong.
    #[track_caller]
    pub fn refused<'a>(
        &'a self,
        (method, path): (Method, &'a str),
        body: Option<Value>,
        (status, field): (u16, Option<&'a str>),
    ) -> impl Future<Output = Value> + 'a {
        let call = self.call((method, path), body, (status, &shapes::RESPONSE));
        async move {
            let said = call.await;
            let named = said["validations"][0]["field"].as_str();
            assert_eq!(named, field, "{said}");
            said
        }
    }
}

/// Checks an answer.
fn answered(reply: &Reply, asked: &str, (status, shape): (u16, &Is)) -> Value {
    assert_eq!(reply.status.as_u16(), status, "{asked}: {}", reply.text);
    assert!(reply.headers.contains_key("x-coder-build-version"), "{asked}");
    if matches!(shape, Is::Nothing) {
        assert!(reply.text.is_empty(), "{asked}: {}", reply.text);
        return Value::Null;
    }
    assert_eq!(reply.headers["content-type"], "application/json", "{asked}");
    let value = reply.json();
    let wrong = shape.wrong_in(&value);
    assert!(wrong.is_empty(), "{asked}: {}\n{value:#}", wrong.join("; "));
    value
}

/// The texts at a field of each entry of a list.
pub fn each(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| entry[field].as_str().unwrap().to_owned()).collect()
}

/// The text at a field.
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}
