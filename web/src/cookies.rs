//! Cookies: bound to this host, out of reach of scripts.

use crate::state::Site;
use axum_extra::extract::cookie::{Cookie, SameSite};

/// The name of the cookie `name` here. With HTTPS the prefix binds it to this host (RFC 6265bis §4.1.3.2).
pub fn name(site: &Site, name: &str) -> String {
    if site.is_https() { format!("__Host-{name}") } else { name.to_owned() }
}

/// A cookie for this browser session that no script can read.
pub fn cookie(site: &Site, name: &str, value: String) -> Cookie<'static> {
    Cookie::build((self::name(site, name), value))
        .path("/")
        .http_only(true)
        .secure(site.is_https())
        .same_site(SameSite::Lax)
        .build()
}

/// What makes the browser forget the cookie `name`.
pub fn forgotten(site: &Site, name: &str) -> Cookie<'static> {
    let mut cookie = cookie(site, name, String::new());
    cookie.make_removal();
    cookie
}
