//! Who may come in: whoever knows the token.
//!
//! A program sends it as `Authorization: Bearer …`. A display opens the page
//! once as `/?token=…` and is given a cookie that is made from the token, so
//! that the token itself stays in no history. Compared are digests, in constant
//! time.

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::NO_STORE;

/// Name of the cookie, and of nothing else.
const COOKIE: &str = "zoetrope_display";
/// Time that a display stays known, in seconds: a year.
const COOKIE_AGE_S: u32 = 31_536_000;
const PARAMETER: &str = "token";

const REFUSAL: &str = "a token is needed: send it as \"Authorization: Bearer TOKEN\", \
                       or open /?token=TOKEN once in the display's browser\n";

/// The token, as far as it is needed.
struct Lock {
    token_digest: [u8; 32],
    cookie: String,
    cookie_digest: [u8; 32],
}

impl Lock {
    fn new(token: &str) -> Self {
        let key = Sha256::new()
            .chain_update("zoetrope display\0")
            .chain_update(token);
        let cookie = format!("{:x}", key.finalize());
        Self {
            token_digest: digest(token),
            cookie_digest: digest(&cookie),
            cookie,
        }
    }

    fn fits_token(&self, given: &str) -> bool {
        digest(given).ct_eq(&self.token_digest).into()
    }

    fn fits_cookie(&self, given: &str) -> bool {
        digest(given).ct_eq(&self.cookie_digest).into()
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

pub(super) struct Gate {
    lock: RwLock<Option<Lock>>,
    is_tls: bool,
}

enum Verdict {
    Welcome,
    /// The display is to come again with this cookie.
    Known(String),
    Unknown,
}

impl Gate {
    /// Without a token everybody may come in.
    pub(super) fn new(token: Option<&str>, is_tls: bool) -> Self {
        Self {
            lock: RwLock::new(token.map(Lock::new)),
            is_tls,
        }
    }

    pub(super) fn change(&self, token: Option<&str>) {
        // A panic elsewhere leaves a whole lock behind.
        *self.lock.write().unwrap_or_else(PoisonError::into_inner) = token.map(Lock::new);
    }

    fn judge(&self, request: &Request) -> Verdict {
        let lock = self.lock.read().unwrap_or_else(PoisonError::into_inner);
        let Some(lock) = &*lock else {
            return Verdict::Welcome;
        };
        let headers = request.headers();
        if bearer(headers).is_some_and(|token| lock.fits_token(token))
            || cookies(headers).any(|cookie| lock.fits_cookie(cookie))
        {
            return Verdict::Welcome;
        }
        let is_page = request.uri().path() == "/" && *request.method() == Method::GET;
        let query = request.uri().query().unwrap_or_default();
        let mut given = form_urlencoded::parse(query.as_bytes());
        if is_page && given.any(|(name, value)| name == PARAMETER && lock.fits_token(&value)) {
            let secure = if self.is_tls { "; Secure" } else { "" };
            return Verdict::Known(format!(
                "{COOKIE}={}; Path=/; Max-Age={COOKIE_AGE_S}; HttpOnly; SameSite=Strict{secure}",
                lock.cookie
            ));
        }
        Verdict::Unknown
    }
}

pub(super) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match gate.judge(&request) {
        Verdict::Welcome => next.run(request).await,
        Verdict::Known(cookie) => {
            let place = page_without_token(request.uri().query().unwrap_or_default());
            let headers = [
                (header::SET_COOKIE, cookie),
                (header::LOCATION, place),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Verdict::Unknown => {
            let headers = [
                (header::WWW_AUTHENTICATE, "Bearer realm=\"zoetrope\""),
                NO_STORE,
            ];
            (StatusCode::UNAUTHORIZED, headers, REFUSAL).into_response()
        }
    }
}

/// The page with what else the query said, such as `fit=contain`.
fn page_without_token(query: &str) -> String {
    let mut rest = form_urlencoded::Serializer::new(String::new());
    rest.extend_pairs(
        form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != PARAMETER),
    );
    match rest.finish() {
        rest if rest.is_empty() => "/".to_owned(),
        rest => format!("/?{rest}"),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}
