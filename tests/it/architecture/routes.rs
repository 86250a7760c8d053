//! The routes of the template, of the functions' routers and of the local machine are the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use local::{ReceivedWebhooks, Site};
use tests::world::World;
use tests::world::brand::TEST_KEY;
use tower::ServiceExt;
use yaml_rust2::Yaml;

use super::template::{folders, functions, resources, template, text};
use super::{read, root};

/// A function, a method and a path with placeholders.
pub(crate) type Route = (String, String, String);

/// Returns the routes in the source of the routers.
pub(crate) fn served() -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    for function in functions(&template()).into_keys() {
        let path = format!("functions/{function}/src/http_edge.rs");
        if !root().join(&path).exists() {
            continue;
        }
        let source = read(&path);
        for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
            let (path, methods) = line.split_once("\", ").unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                let spellings = [format!(".{method}("), format!(" {method}(")];
                if spellings
                    .iter()
                    .any(|spelling| format!(" {methods}").contains(spelling.as_str()))
                {
                    routes.insert((function.clone(), method.to_uppercase(), path.to_owned()));
                }
            }
        }
    }
    routes
}

/// Returns the routes in the template.
fn deployed() -> BTreeSet<Route> {
    let template = template();
    let integrations = resources(&template, "AWS::ApiGatewayV2::Integration");
    let folders = folders(&template);
    let route = |properties: &Yaml| {
        let (target, key) = (text(&properties["Target"]), text(&properties["RouteKey"]));
        let integration = target.strip_prefix("integrations/${").unwrap().trim_end_matches('}');
        let address = text(&integrations[integration]["IntegrationUri"]);
        let (_, function) = address.split_once("/functions/${").unwrap();
        let (function, _) = function.split_once(".Arn}/").unwrap();
        let (method, path) = key.split_once(' ').unwrap();
        (folders[function].clone(), method.to_owned(), path.to_owned())
    };
    resources(&template, "AWS::ApiGatewayV2::Route").values().map(route).collect()
}

/// An API that named a function would need it first, while each function needs the address of the API.
#[test]
fn api_names_no_function_and_may_call_each() {
    let template = template();
    let api = &resources(&template, "AWS::ApiGatewayV2::Api")["HttpApi"];
    assert!(api["Body"].is_badvalue() && api["Target"].is_badvalue(), "{api:?}");
    let permissions = resources(&template, "AWS::Lambda::Permission").into_values();
    let allowed = permissions.filter(|permission| {
        text(&permission["Principal"]) == "apigateway.amazonaws.com"
            && text(&permission["SourceArn"]).ends_with(":${AWS::AccountId}:${HttpApi}/*")
    });
    let allowed: BTreeSet<String> =
        allowed.map(|permission| text(&permission["FunctionName"])).collect();
    let folders = folders(&template);
    let allowed = allowed.into_iter().map(|name| folders[&name].clone());
    let called = deployed().into_iter().map(|(function, ..)| function);
    assert_eq!(allowed.collect::<BTreeSet<_>>(), called.collect());
}

/// Returns whether a route of the template covers a route of a router.
fn hands_over(deployed: &Route, served: &Route) -> bool {
    let path = match deployed.2.strip_suffix("{proxy+}") {
        Some(beginning) => served.2.starts_with(beginning),
        None => served.2 == deployed.2,
    };
    deployed.0 == served.0 && path && (deployed.1 == "ANY" || deployed.1 == served.1)
}

#[test]
fn template_routes_equal_router_routes() {
    let (served, deployed) = (served(), deployed());
    assert!(served.len() >= 14, "{served:?}");
    for route in &served {
        let count = deployed.iter().filter(|known| hands_over(known, route)).count();
        assert_eq!(count, 1, "{route:?} in the template");
    }
    for route in &deployed {
        let found = served.iter().any(|known| hands_over(route, known));
        assert!(found, "no router serves {route:?}");
    }
}

fn status(world: &World, router: &Router, method: Method, path: &str) -> StatusCode {
    let call = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    world.run(router.clone().oneshot(call)).unwrap().status()
}

#[test]
fn local_routes_equal_deployed_routes() {
    let world = World::new();
    let site = Site {
        api: "http://127.0.0.1".to_owned(),
        key: TEST_KEY.to_owned(),
        brand: "demo".parse().unwrap(),
        phone: tests::world::PHONE.to_owned(),
        secrets: Arc::clone(&world.ports.secrets),
        clock: Arc::clone(&world.ports.clock),
        received: ReceivedWebhooks::default(),
    };
    let machine = local::router(&world.machine, site);
    let served = served();
    for (function, method, path) in &served {
        let own = match function.as_str() {
            "agents" => agents::router(world.machine.agents()),
            "intake" => intake::router(Arc::clone(&world.machine.intake)),
            _ => consent_callback::router(Arc::clone(&world.machine.consent_callback)),
        };
        for router in [&own, &machine] {
            let wrong = status(&world, router, Method::TRACE, path);
            assert_eq!(wrong, StatusCode::METHOD_NOT_ALLOWED, "TRACE {path}");
            let right = status(&world, router, method.parse().unwrap(), path);
            assert_ne!(right, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}
