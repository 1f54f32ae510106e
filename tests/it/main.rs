//! Tests of the whole against real partners, in one binary.
//!
//! | module | partner |
//! |---|---|
//! | `browser` | the kiosk page in Chromium, steered by chromedriver |

mod browser;
