//! The control plane's database: the truth, its two logs, and what it knows of gateways.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use domain::content;
use domain::contract::event_bus::ContentDigest;
use domain::event::{Event, LogEntry, LogName, Position, SCHEMA_VERSION};
use domain::lifecycle::LifecycleState;
use domain::runtime::{ApiMetadata, DeployedRevision, GatewayApplication, Revocation, RevocationEntry, Snapshot};
use domain::{ApiId, ApplicationId, EventId, Organization, RevisionId, Timestamp};

use crate::dice::Dice;

const APIS: usize = 4;
const APPLICATIONS: usize = 4;
/// Longest that a revocation matters, in ticks.
const EXPIRY: usize = 400;

#[derive(Clone, Default)]
struct Log {
    id: String,
    /// Since the beginning, for the checks.
    entries: Vec<LogEntry>,
    /// Entries that the outbox no longer has.
    trimmed: usize,
    /// The tables after each entry.
    states: Vec<Rc<Content>>,
}

#[derive(Clone, Default)]
struct Content {
    deployments: BTreeMap<ApiId, Rc<DeployedRevision>>,
    applications: BTreeMap<ApplicationId, Rc<GatewayApplication>>,
    /// One row for each time that something was revoked.
    revocations: Vec<Rc<RevocationEntry>>,
}

#[derive(Clone)]
struct Tables {
    logs: [Log; 2],
    content: Content,
}

pub struct Database {
    tables: Tables,
    backup: Option<Tables>,
    generation: usize,
    /// Log ids under which entries were lost and written anew: until a hub notices, one number means two entries.
    ambiguous: BTreeSet<String>,
    /// By gateway and API: the artifact that is served.
    pub acks: BTreeMap<(usize, ApiId), Option<String>>,
}

pub fn index(log: LogName) -> usize {
    match log {
        LogName::Control => 0,
        LogName::Revocation => 1,
    }
}

/// Ids that do not depend on chance.
fn id<T: std::str::FromStr>(number: usize) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
}

pub fn api_ids() -> impl Iterator<Item = ApiId> {
    (0..APIS).map(id)
}

impl Database {
    pub fn new() -> Self {
        let log = |name: &str| Log { id: format!("{name}-0"), states: vec![Rc::default()], ..Log::default() };
        let tables = Tables { logs: [log("control"), log("revocation")], content: Content::default() };
        let (ambiguous, acks) = (BTreeSet::new(), BTreeMap::new());
        Self { tables, backup: None, generation: 0, ambiguous, acks }
    }

    pub fn head(&self, log: LogName) -> Position {
        let log = &self.tables.logs[index(log)];
        Position { log_id: log.id.clone(), number: log.entries.len() as u64 }
    }

    pub fn read_after(&self, log: LogName, number: u64, max: usize) -> Vec<LogEntry> {
        let log = &self.tables.logs[index(log)];
        let first = log.trimmed.max(usize::try_from(number).unwrap());
        log.entries.iter().skip(first).take(max).cloned().collect()
    }

    /// Entries up to `number`, if the log is still the one with this id and each of its numbers has one meaning.
    pub fn lineage(&self, log: LogName, at: &Position) -> Option<impl Iterator<Item = &LogEntry>> {
        let log = &self.tables.logs[index(log)];
        if log.id != at.log_id || self.ambiguous.contains(&at.log_id) {
            return None;
        }
        let entries = log.entries.get(..usize::try_from(at.number).unwrap()).expect("nobody is ahead of the database");
        Some(entries.iter())
    }

    /// All entries of both logs, which is what a snapshot amounts to.
    pub fn everything(&self) -> [Vec<EventId>; 2] {
        LogName::ALL.map(|log| self.tables.logs[index(log)].entries.iter().map(|entry| entry.event_id).collect())
    }

    /// What a snapshot would have held at this position of the log.
    pub fn snapshot_at(&self, log: LogName, number: u64, dice: &mut Dice) -> Snapshot {
        let state = Rc::clone(&self.tables.logs[index(log)].states[usize::try_from(number).unwrap()]);
        self.snapshot_of(&state, dice)
    }

    /// What a hub's pulse tells of the content.
    pub fn told(&self, dice: &mut Dice, now: Timestamp) -> ContentDigest {
        let snapshot = self.snapshot(dice);
        // Longer than a pulse is under way.
        let revocations_after = now.plus(Duration::from_millis(50));
        let kinds = content::digests(&content::documents(&snapshot, revocations_after).unwrap());
        let (at, revocation, schema) = (snapshot.control, snapshot.revocation, SCHEMA_VERSION);
        ContentDigest { at, revocation, schema, audited_at: now, revocations_after, kinds }
    }

    /// Whether one of the positions may mean two things.
    pub fn is_ambiguous(&self, told: &ContentDigest) -> bool {
        self.ambiguous.contains(&told.at.log_id) || self.ambiguous.contains(&told.revocation.log_id)
    }

    pub fn snapshot(&self, dice: &mut Dice) -> Snapshot {
        self.snapshot_of(&self.tables.content, dice)
    }

    fn snapshot_of(&self, content: &Content, dice: &mut Dice) -> Snapshot {
        let mut revocations: Vec<_> = content.revocations.iter().map(|entry| (**entry).clone()).collect();
        // Rows have no order of their own.
        dice.shuffle(&mut revocations);
        Snapshot {
            control: self.head(LogName::Control),
            revocation: self.head(LogName::Revocation),
            apis: content.deployments.keys().map(|api_id| metadata(*api_id)).collect(),
            deployments: content.deployments.values().map(|own| (**own).clone()).collect(),
            applications: content.applications.values().map(|own| (**own).clone()).collect(),
            revocations,
            ..Snapshot::default()
        }
    }

    /// A change and its entry, in one transaction.
    pub fn commit(&mut self, dice: &mut Dice, now: Timestamp) {
        let event = self.change(dice, now);
        let log = &mut self.tables.logs[index(event.log())];
        let (number, event_id) = (log.entries.len() as u64 + 1, EventId::random());
        log.entries.push(LogEntry { number, event_id, schema: SCHEMA_VERSION, at: now, event });
        log.states.push(Rc::new(self.tables.content.clone()));
    }

    fn change(&mut self, dice: &mut Dice, now: Timestamp) -> Event {
        let organization = Organization::super_tenant();
        let content = &mut self.tables.content;
        let (api_id, application_id) = (id::<ApiId>(dice.roll(APIS)), id::<ApplicationId>(dice.roll(APPLICATIONS)));
        match dice.roll(10) {
            0..4 => {
                let deployment = deployment(api_id, dice.roll(1 << 30));
                content.deployments.insert(api_id, Rc::new(deployment.clone()));
                Event::ApiDeployed { organization, deployment, metadata: metadata(api_id) }
            }
            4 => {
                content.deployments.remove(&api_id);
                Event::ApiUndeployed { organization, api_id, environment: "Default".into() }
            }
            5..7 => {
                let application = application(application_id, dice.roll(1000));
                content.applications.insert(application_id, Rc::new(application.clone()));
                Event::ApplicationUpdated(application)
            }
            7 => {
                content.applications.remove(&application_id);
                Event::ApplicationDeleted { organization, application_id }
            }
            _ => {
                let entry = revocation(dice, now);
                content.revocations.retain(|own| own.expires_at > now);
                content.revocations.push(Rc::new(entry.clone()));
                Event::Revoked(entry)
            }
        }
    }

    pub fn trim(&mut self, log: LogName, keep: usize) {
        let log = &mut self.tables.logs[index(log)];
        // Far more is kept than what is committed before a hub notices a restore.
        if !self.ambiguous.contains(&log.id) {
            log.trimmed = log.trimmed.max(log.entries.len().saturating_sub(keep));
        }
    }

    pub fn back_up(&mut self) {
        self.backup = Some(self.tables.clone());
    }

    /// Goes back to the backup; says whether there was one.
    pub fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        for (old, restored) in self.tables.logs.iter().zip(&backup.logs) {
            if old.id != restored.id || old.entries.len() > restored.entries.len() {
                self.ambiguous.insert(restored.id.clone());
            }
        }
        self.tables = backup;
        true
    }

    /// Gives the log a new id, unless another hub has done it.
    pub fn renew(&mut self, log: LogName, old: &str) {
        let renewed = &mut self.tables.logs[index(log)];
        if renewed.id == old {
            self.generation += 1;
            renewed.id = format!("{}-{}", log.as_str(), self.generation);
            // A backup from before would bring the old id back.
            self.backup = None;
        }
    }
}

fn metadata(api_id: ApiId) -> ApiMetadata {
    ApiMetadata {
        api_id,
        organization: Organization::super_tenant(),
        name: "n".into(),
        version: "1".into(),
        context: "/n/1".into(),
        state: LifecycleState::Published,
        is_default_version: false,
    }
}

fn deployment(api_id: ApiId, number: usize) -> DeployedRevision {
    DeployedRevision {
        api_id,
        revision_id: id::<RevisionId>(number),
        environment: "Default".into(),
        vhost: "v".into(),
        artifact_hash: number.to_string(),
    }
}

fn application(id: ApplicationId, number: usize) -> GatewayApplication {
    GatewayApplication {
        id,
        organization: Organization::super_tenant(),
        name: number.to_string(),
        owner: "o".into(),
        throttling_policy: "t".into(),
    }
}

fn revocation(dice: &mut Dice, now: Timestamp) -> RevocationEntry {
    let before = Timestamp::from_millis(dice.roll(1000) as i64);
    let revocation = match dice.roll(3) {
        0 => Revocation::Token { jti: dice.roll(6).to_string() },
        1 => Revocation::ConsumerKey { consumer_key: dice.roll(2).to_string(), before },
        _ => Revocation::User { user: dice.roll(2).to_string(), before },
    };
    let expires_at = Timestamp::from_millis(now.as_millis() + 1 + dice.roll(EXPIRY) as i64);
    RevocationEntry { organization: Organization::super_tenant(), revocation, expires_at }
}
