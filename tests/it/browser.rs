//! The dashboard in a real browser: a server on loopback over the demo's campus, whose numbers move, and the tests of
//! `tests/web` against it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use netroom::model::clock;
use netroom::web::{router, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::web::fixture::World;

/// How often the campus is read anew; the product's interval of a minute would only make the test wait.
const REFRESH: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    let world = Arc::new(World::new(clock::wall()));
    let closing = CancellationToken::new();
    let app = Arc::new(world.app(closing.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let moving = async {
        loop {
            tokio::time::sleep(REFRESH).await;
            let world = Arc::clone(&world);
            tokio::task::spawn_blocking(move || world.refresh(clock::wall())).await.unwrap();
        }
    };
    let tests = tokio::task::spawn_blocking(move || run(&browser, &format!("http://{address}")));
    tokio::select! {
        ended = tests => assert!(ended.unwrap(), "the browser tests failed, see above"),
        served = serve(listener, router(Arc::clone(&app)), closing.clone(), Duration::from_secs(5)) => served.unwrap(),
        () = app.watch(closing.clone()) => {}
        () = moving => {}
    }
}

/// The browser's path; `None`, said loudly, where something that the test needs is not installed.
#[expect(clippy::disallowed_methods, reason = "the browser and its driver run as programs")]
fn browser() -> Option<String> {
    let there = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web/node_modules/playwright-core");
    let missing = match (["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| there(name)), there("node")) {
        (None, _) => "no Chromium: apt-get install chromium",
        (_, false) => "no Node: apt-get install nodejs npm",
        _ if !modules.exists() => "the modules of tests/web are missing: cd tests/web && npm ci --ignore-scripts",
        (Some(name), true) => return which(name),
    };
    let required = std::env::var_os("NETROOM_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "the dashboard cannot be tested in a browser: {missing}");
    eprintln!("SKIPPED: the dashboard was not tested in a browser: {missing}");
    None
}

fn which(name: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())?;
    found.into_os_string().into_string().ok()
}

#[expect(clippy::disallowed_methods, reason = "the browser and its driver run as programs")]
fn run(browser: &str, url: &str) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web");
    let status = Command::new("node")
        .args(["--test", "--test-reporter=spec", "dashboard.test.js"])
        .current_dir(folder)
        .env("NETROOM_URL", url)
        .env("NETROOM_CHROMIUM", browser)
        .status();
    status.unwrap().success()
}
