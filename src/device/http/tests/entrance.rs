//! Who comes in, and how.

use super::*;

const TOKEN: &str = "correct horse battery";

fn locked() -> Bench {
    let bench = Bench::new();
    bench.gate.change(Some(TOKEN));
    bench
}

#[tokio::test]
async fn without_the_token_nothing_is_told_but_that_we_live() {
    let bench = locked();
    let clip = format!("/clips/{}.mp4", sha256(1));
    let wrong_cookie = format!("zoetrope_display={TOKEN}");
    for path in [
        "/",
        "/kiosk.js",
        "/kiosk.json",
        "/poster.jpg",
        "/readyz",
        "/metrics",
        "/nothing",
        "/?token=wrong",
        "/?token=",
        clip.as_str(),
    ] {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("authorization", TOKEN)],
            &[("authorization", "Basic correct horse battery")],
            &[("cookie", wrong_cookie.as_str())],
        ] {
            let answer = bench.ask("GET", path, headers).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(
                header_of(&answer, "www-authenticate"),
                Some("Bearer realm=\"zoetrope\"")
            );
            let said = body(answer).await;
            assert!(said.starts_with(b"a token is needed"), "{path}");
        }
    }
    let alive = bench.ask("GET", "/healthz", &[]).await;
    assert_eq!(body(alive).await, b"ok\n");
}

#[tokio::test]
async fn with_the_token_everything_is_as_without_a_gate() {
    let bench = locked();
    let bearer = format!("bearer {TOKEN}");
    let range = [("authorization", bearer.as_str()), ("range", "bytes=2-4")];
    assert_eq!(body(bench.clip(&range).await).await, b"234");
    let absent = bench.ask("GET", "/nothing", &range[..1]).await;
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_display_that_brings_the_token_once_is_known_by_its_cookie() {
    let bench = locked();
    let query = "/?fit=contain&token=correct+horse%20battery";
    let known = bench.ask("GET", query, &[]).await;
    assert_eq!(known.status(), StatusCode::SEE_OTHER);
    assert_eq!(header_of(&known, "location"), Some("/?fit=contain"));
    let cookie = header_of(&known, "set-cookie").expect("a cookie");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("horse"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair");
    let jar = format!("theme=dark; {cookie}");
    for path in ["/", "/kiosk.json", "/poster.jpg"] {
        let answer = bench.ask("GET", path, &[("cookie", &jar)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    // Another token, another cookie.
    bench.gate.change(Some("another token of ours"));
    let stale = bench.ask("GET", "/", &[("cookie", &jar)]).await;
    assert_eq!(stale.status(), StatusCode::UNAUTHORIZED);
}
