//! The traits through which rooms meet. A room never imports another one: the binary's composition hands each role an
//! implementation that is local when the peer role runs in the same process, else a remote client.

pub mod authenticator;
pub mod event_bus;
pub mod key_manager;
pub mod lease_ledger;
pub mod node_authenticator;
pub mod runtime_data;
pub mod tenant_keys;
pub mod throttle;
pub mod throttle_inspector;
pub mod user_store;

pub use authenticator::{AuthenticationError, Authenticator};
pub use event_bus::{EventBus, EventBusError};
pub use key_manager::{KeyManager, KeyManagerError};
pub use lease_ledger::{LeaseLedger, LedgerError};
pub use node_authenticator::NodeAuthenticator;
pub use runtime_data::{RuntimeData, RuntimeDataError};
pub use tenant_keys::TenantKeys;
pub use throttle::{Throttle, ThrottleUnavailable};
pub use throttle_inspector::{InspectError, ThrottleInspector};
pub use user_store::{PasswordChecker, UserStore, UserStoreError};
