//! `[throttling]`: how the traffic manager divides quotas into leases, and which policies there are to choose from.

use domain::throttling::OnTmLoss;
use serde::{Deserialize, Serialize};

use crate::human::HumanDuration;

/// The owner of throttle keys, and what may be chosen as a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttling {
    /// TLS port on which gateways ask a traffic manager for leases. 0 takes any free port.
    pub lease_port: u16,
    /// The same without TLS, on the loopback address only. 0 takes any free port.
    pub plain_lease_port: u16,
    /// Most gateways that are connected for leases at a time.
    pub lease_connections_max: u32,
    /// Quotas of up to a minute and this many units are reserved in the database at once; after a crash that minute is
    /// used up.
    pub block_units_whole: u64,
    /// Other quotas are reserved in at least this many blocks per window, each one database write; in one per minute when
    /// the window is longer.
    pub blocks_per_window: u64,
    /// Blocks that this traffic manager reserves per second at most: the more keys are counted, the larger the blocks. One for
    /// each key and window there must be.
    pub ledger_blocks_per_second: u64,
    /// Transactions per second in which it does so at most; one can carry hundreds of blocks.
    pub ledger_writes_per_second: u32,
    /// A lease gets at most one part in this many of what is left, so that all gateways get some.
    pub lease_share: u64,
    /// Most throttle keys that are counted at a time.
    pub keys_max: usize,
    /// Time between two removals of ended windows.
    pub sweep_interval: HumanDuration,
    /// How long the database remembers windows after their end.
    pub ledger_retention: HumanDuration,
    /// Time for which a key is not reserved again after the database failed.
    pub ledger_backoff: HumanDuration,
    /// Whether APIs, applications and subscriptions can have the policy `Unlimited`. Those that have it keep it. Nodes that
    /// play the publisher, the developer portal or the admin role read this.
    pub enable_unlimited_tier: bool,
    /// What a gateway does about quotas while no traffic manager decides: `local-share` (it admits what is left of the
    /// quota divided by the number of live gateways), `allow` (all calls) or `deny` (none). A policy's limit that has an
    /// `onTmLoss` of its own goes by that.
    pub on_tm_loss: OnTmLoss,
}

impl Default for Throttling {
    fn default() -> Self {
        Self {
            lease_port: 9711,
            plain_lease_port: 9611,
            lease_connections_max: 1_000,
            block_units_whole: 1_000,
            blocks_per_window: 20,
            ledger_blocks_per_second: 2_000,
            ledger_writes_per_second: 200,
            lease_share: 8,
            keys_max: 1_000_000,
            sweep_interval: HumanDuration::from_secs(10),
            ledger_retention: HumanDuration::from_secs(900),
            ledger_backoff: HumanDuration::from_millis(250),
            enable_unlimited_tier: true,
            on_tm_loss: OnTmLoss::default(),
        }
    }
}
