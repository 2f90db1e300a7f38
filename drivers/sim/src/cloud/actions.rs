//! What the API can be asked for. Requests are read here, once; the driver does the rest.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use skep_driver::{Driver, Instance, Target};
use skep_types::{FieldViolation, InstanceRef, PowerAction, ProviderId};

use super::asked;
use super::create::{Create, template};
use super::problem::{Problem, Refusal};
use super::shown::{CLUSTER, Console, Created, Listed, Nothing, One, Results, Shown};
use crate::SimDriver;

/// Instances that one request may name: as many as a page shows.
const IDS_MAX: usize = skep_types::limits::PAGE_SIZE;

type Answer = Result<Value, Refusal>;

pub(super) struct Actions {
    driver: SimDriver,
}

impl Actions {
    pub(super) fn new(driver: SimDriver) -> Self {
        Self { driver }
    }

    pub(super) async fn run(&self, action: &str, body: &[u8]) -> Answer {
        match action {
            "check" => self.check(read(body)?).await,
            "create" => self.create(read(body)?).await,
            "list" => self.list(read(body)?).await,
            "describe" => self.describe(read(body)?),
            "power" => self.power(read(body)?).await,
            "terminate" => self.terminate(read(body)?).await,
            "console" => self.console(read(body)?).await,
            _ => Err(Problem::no_such_action().into()),
        }
    }

    async fn check(&self, asked: asked::Check) -> Answer {
        self.driver.check(&template(asked.options)).await?;
        answer(&Nothing {})
    }

    async fn create(&self, asked: Create) -> Answer {
        let placed = self.driver.ensure(&asked.intent()?).await?;
        let shortfall = placed.shortfall.map(Problem::of);
        answer(&Created { instances: self.shown(&placed.instances), shortfall })
    }

    async fn list(&self, asked: asked::List) -> Answer {
        let wrong = |field, description| Refusal::from(invalid(field, description));
        let cluster = asked.tags.get(CLUSTER).filter(|_| asked.tags.len() == 1);
        let cluster = cluster.ok_or_else(|| wrong("tags", "must be skep-cluster and nothing else"))?;
        if asked.page.as_ref().is_some_and(|page| page.parse::<u64>().is_err()) {
            return Err(wrong("page", "must be the next of the page before"));
        }
        let page = self.driver.list(cluster, asked.page.as_deref()).await?;
        answer(&Listed { instances: self.shown(&page.instances), next: page.next })
    }

    fn describe(&self, asked: asked::Those) -> Answer {
        let tagged = self.tagged(asked.ids)?;
        let one = |seen| match seen {
            Ok(instance) => One::seen(self.shown(&[instance]).pop()),
            Err(error) => One::failed(error),
        };
        let results = self.driver.look_at(&borrowed(&tagged))?.into_iter().map(one).collect();
        answer(&Results { results })
    }

    async fn power(&self, asked: asked::Power) -> Answer {
        let action = match asked.action {
            asked::Action::Start => PowerAction::Start,
            asked::Action::Stop => PowerAction::Stop,
            asked::Action::Restart => PowerAction::Restart,
            asked::Action::Kill => PowerAction::Kill,
        };
        let tagged = self.tagged(asked.ids)?;
        let results = self.driver.switch(action, &borrowed(&tagged)).await?;
        answer(&Results { results: results.into_iter().map(One::done).collect() })
    }

    async fn terminate(&self, asked: asked::Those) -> Answer {
        let tagged = self.tagged(asked.ids)?;
        let results = self.driver.remove(&borrowed(&tagged)).await?;
        answer(&Results { results: results.into_iter().map(One::done).collect() })
    }

    async fn console(&self, asked: asked::That) -> Answer {
        let (cluster, instance) = self.tag(asked.id);
        let output = self.driver.console(&cluster, &Target::from(instance)).await?;
        answer(&Console { output })
    }

    /// The account is asked, not a cluster: whose an instance is, its tags tell the caller.
    fn tag(&self, provider_id: ProviderId) -> (String, InstanceRef) {
        let known = self.driver.world().inspect(&provider_id);
        let (cluster, name) = known.map(|known| (known.cluster, known.name)).unwrap_or_default();
        (cluster.unwrap_or_default(), InstanceRef { provider_id, name })
    }

    fn tagged(&self, ids: Vec<ProviderId>) -> Result<Vec<(String, InstanceRef)>, Problem> {
        if ids.is_empty() || ids.len() > IDS_MAX {
            return Err(invalid("ids", format!("must be 1 to {IDS_MAX} in number")));
        }
        Ok(ids.into_iter().map(|id| self.tag(id)).collect())
    }

    fn shown(&self, instances: &[Instance]) -> Vec<Shown> {
        let known = instances.iter().map(|one| self.driver.world().inspect(&one.instance.provider_id));
        known.flatten().map(Shown::from).collect()
    }
}

fn borrowed(tagged: &[(String, InstanceRef)]) -> Vec<(&str, &InstanceRef)> {
    tagged.iter().map(|(cluster, instance)| (cluster.as_str(), instance)).collect()
}

fn invalid(field: &str, description: impl Into<String>) -> Problem {
    Problem::invalid(vec![FieldViolation { field: field.to_owned(), description: description.into() }])
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::unread(format!("not the body of this request: {error}")))
}

fn answer(value: &impl Serialize) -> Answer {
    let internal = |error| Problem::unshown(&error);
    Ok(serde_json::to_value(value).map_err(internal)?)
}
