//! Tag `Import Export Throttling Policy`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use control_plane::ControlPlane;
use control_plane::policies::{ExistingPolicy, ImportOutcome, PolicyName};
use domain::error_code;
use domain::oauth::Principal;
use http::answer;
use http::guard::Guarded;
use http::multipart::Form;
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;

use super::scopes::PolicyTransfer;
use crate::dto::advanced_policy::AdvancedThrottlePolicyDto;
use crate::dto::custom_rule::CustomRuleDto;
use crate::dto::exported_policy::{ExportThrottlePolicyDto, ImportedKind, ImportedPolicy};
use crate::dto::policy::{ApplicationThrottlePolicyDto, PolicyDto, SubscriptionThrottlePolicyDto};

/// Parameters of `exportThrottlingPolicy`. Clients name a format too; the answer is JSON, which is YAML as well.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportParameters {
    policy_id: Option<String>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl ExportParameters {
    fn kind(&self) -> Result<Option<ImportedKind>, Problem> {
        let Some(word) = &self.kind else { return Ok(None) };
        let unknown = || Problem::invalid("type", format!("'{word}' is not sub, app, api or global"));
        ImportedKind::parse(word).map(Some).ok_or_else(unknown)
    }

    fn name(self) -> Result<PolicyName, Problem> {
        match (self.policy_id, self.name) {
            (Some(id), _) => Ok(PolicyName::Id(id)),
            (None, Some(name)) => Ok(PolicyName::Name(name)),
            (None, None) => Err(Problem::invalid("name", "is missing: name a policy by policyId, or by name and type")),
        }
    }
}

/// Parameters of `importThrottlingPolicy`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ImportParameters {
    /// `true` in any case of letters.
    overwrite: Option<String>,
}

impl ImportParameters {
    fn existing(&self) -> Result<ExistingPolicy, Problem> {
        match self.overwrite.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(ExistingPolicy::Kept),
            Some("true") => Ok(ExistingPolicy::Replaced),
            Some(other) => Err(Problem::invalid("overwrite", format!("'{other}' is not true or false"))),
        }
    }
}

/// Without a type, policies of all kinds are looked through: of subscriptions, of applications, advanced, custom.
pub async fn export_throttling_policy(
    caller: Guarded<PolicyTransfer>,
    parameters: QueryParams<ExportParameters>,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let kind = parameters.0.kind()?;
    let name = parameters.0.name()?;
    macro_rules! export {
        ($($kind:ident = $dto:ty),*) => {
            $(if kind.is_none_or(|kind| kind == ImportedKind::$kind) {
                if let Some(answer) = export::<$dto>(&control_plane, &caller, &name).await? {
                    return Ok(answer);
                }
            })*
        };
    }
    export!(
        Subscription = SubscriptionThrottlePolicyDto,
        Application = ApplicationThrottlePolicyDto,
        Advanced = AdvancedThrottlePolicyDto,
        Custom = CustomRuleDto
    );
    Err(Problem::new(error_code::NOT_FOUND, "there is no such throttling policy"))
}

async fn export<D: PolicyDto>(
    control_plane: &ControlPlane,
    caller: &Principal,
    name: &PolicyName,
) -> Result<Option<HttpResponse>, Problem> {
    let found = control_plane.find_policy::<D::Policy>(caller, name).await?;
    Ok(found.map(|policy| answer::ok(ExportThrottlePolicyDto::<D>::new(&policy))))
}

pub async fn import_throttling_policy(
    caller: Guarded<PolicyTransfer>,
    parameters: QueryParams<ImportParameters>,
    form: Form,
    control_plane: Data<ControlPlane>,
) -> Result<HttpResponse, Problem> {
    let existing = parameters.0.existing()?;
    let file = form.part("file").ok_or_else(|| Problem::invalid("file", "is missing: send the policy"))?;
    let imported = ImportedPolicy::read(&file.bytes)?;
    let outcome = match imported.kind {
        ImportedKind::Subscription => {
            import::<SubscriptionThrottlePolicyDto>(&control_plane, &caller, &imported, existing).await
        }
        ImportedKind::Application => {
            import::<ApplicationThrottlePolicyDto>(&control_plane, &caller, &imported, existing).await
        }
        ImportedKind::Advanced => {
            import::<AdvancedThrottlePolicyDto>(&control_plane, &caller, &imported, existing).await
        }
        ImportedKind::Custom => import::<CustomRuleDto>(&control_plane, &caller, &imported, existing).await,
    };
    let sentence = match outcome? {
        ImportOutcome::Created => "Throttling policy imported successfully.",
        ImportOutcome::Replaced => "Throttling policy updated successfully.",
    };
    Ok(answer::text("text/plain", sentence))
}

async fn import<D: PolicyDto>(
    control_plane: &ControlPlane,
    caller: &Principal,
    imported: &ImportedPolicy,
    existing: ExistingPolicy,
) -> Result<ImportOutcome, Problem> {
    let policy = imported.data::<D>()?.into_policy(&caller.organization)?;
    Ok(control_plane.import_policy(policy, existing).await?)
}
