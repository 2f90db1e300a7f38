//! The bodies of requests about what there is.

use serde::Deserialize;
use skep_types::ProviderId;

use super::create::Texts;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    #[serde(default)]
    pub(super) options: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    /// The one that every instance of the answer carries.
    pub(super) tags: Texts,
    /// The `next` of the page before.
    #[serde(default)]
    pub(super) page: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Those {
    pub(super) ids: Vec<ProviderId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Power {
    pub(super) action: Action,
    pub(super) ids: Vec<ProviderId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Start,
    Stop,
    Restart,
    Kill,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct That {
    pub(super) id: ProviderId,
}
