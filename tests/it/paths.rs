//! The four paths of the main job, through public surfaces only.

mod api_key;
mod cors;
mod internal_key;
mod key;
mod levels;
mod publish;
mod quota;
mod request;
mod restart;
mod throttle;
