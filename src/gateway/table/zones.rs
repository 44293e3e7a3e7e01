//! Time zones of the tenants that have one of their own.

use domain::event::Event;
use domain::runtime::Snapshot;
use domain::tenant::TenantSettings;
use domain::{Organization, Zone};

use crate::concurrent_map::ConcurrentMap;

/// By tenant; without those whose zone is UTC, so that it stays empty where nobody has set one.
#[derive(Default)]
pub struct Zones(ConcurrentMap<Organization, Zone>);

impl Zones {
    pub(super) fn load(snapshot: &Snapshot) -> Self {
        let zones = Self::default();
        snapshot.tenant_settings.iter().for_each(|settings| zones.set(settings));
        zones
    }

    /// Takes in an event about a tenant's settings; whether it was one.
    pub(super) fn apply(&self, event: &Event) -> bool {
        let Event::TenantSettingsUpdated(settings) = event else { return false };
        self.set(settings);
        true
    }

    /// By whose clocks the windows of the tenant's policies begin.
    #[must_use]
    pub fn of(&self, organization: &Organization) -> Zone {
        if self.0.is_empty() {
            return Zone::UTC;
        }
        self.0.pin().get(organization).copied().unwrap_or_default()
    }

    fn set(&self, settings: &TenantSettings) {
        let zones = self.0.pin();
        if settings.time_zone.is_utc() {
            zones.remove(&settings.organization);
        } else {
            zones.insert(settings.organization.clone(), settings.time_zone);
        }
    }
}
