//! The four paths of the main job, through public surfaces only.

mod key;
mod publish;
mod request;
mod restart;
mod throttle;
