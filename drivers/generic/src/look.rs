//! What is adopted: by the markers of machines.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, stream};
use skep_driver::{DriverError, ErrorKind, Instance, Page, Target};
use tokio::time::timeout;

use crate::access::Account;
use crate::errors;
use crate::instance::{Id, Kept, instance};
use crate::options::DEFAULT_PORT;
use crate::reach::reach;

/// Machines that are looked at at once, for one call.
pub(crate) const AT_ONCE: usize = 16;
/// Machines of one page: two rounds of dead ones still answer within a driver's call.
const PAGE: usize = 32;
/// For one machine of a page, whatever keeps it from answering.
const LOOK: Duration = Duration::from_secs(30);

/// The machines of the account's inventory, and those this coordinator adopted. One that cannot be reached is left out
/// and told in the log: nobody knows whose it is, and it must not hide the others.
pub(crate) async fn list(
    account: &Account,
    cluster: &str,
    page_token: Option<&str>,
) -> Result<Page, DriverError> {
    let from = match page_token.map(str::parse::<usize>) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(_)) => return Err(DriverError::new(ErrorKind::Internal, "the page token is not ours")),
    };
    let machines = known(account).await;
    let page: Vec<Kept> = machines.iter().skip(from).take(PAGE).cloned().collect();
    let next = (from + page.len() < machines.len()).then(|| (from + page.len()).to_string());
    let looks = page.into_iter().map(|kept| look(account, cluster, kept));
    let looked: Vec<Option<Instance>> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let mut seen = BTreeSet::new();
    let once = |found: &Instance| seen.insert(found.instance.provider_id.clone());
    Ok(Page { instances: looked.into_iter().flatten().filter(once).collect(), next })
}

/// Each machine once, in an order that stays from page to page. Of one that is called otherwise by now, what the
/// inventory says counts. The same address behind another jump host is another machine.
async fn known(account: &Account) -> Vec<Kept> {
    let listed = account.inventory.machines.iter().cloned().map(Kept::new);
    let names: BTreeSet<&str> =
        account.inventory.machines.iter().filter_map(|machine| machine.name.as_deref()).collect();
    let mut noted = account.adopted.all().await;
    noted.retain(|kept| kept.machine.name.as_deref().is_none_or(|name| !names.contains(name)));
    noted.sort_by(|a, b| a.machine.address.cmp(&b.machine.address));
    let mut seen = BTreeSet::new();
    let place = |Kept { machine, .. }: &Kept| {
        (machine.jumps.clone(), machine.address.clone(), machine.port.unwrap_or(DEFAULT_PORT))
    };
    listed.chain(noted).filter(|kept| seen.insert(place(kept))).collect()
}

async fn look(account: &Account, cluster: &str, kept: Kept) -> Option<Instance> {
    let late = || DriverError::new(ErrorKind::Unavailable, format!("no answer within {} s", LOOK.as_secs()));
    let state = timeout(LOOK, state(account, &kept)).await.unwrap_or_else(|_| Err(late()));
    match state {
        Ok(Some(found)) if found.cluster == cluster => Some(found.instance),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(address = kept.machine.address, %error, "a machine of the account could not be looked at");
            None
        }
    }
}

struct Found {
    cluster: String,
    instance: Instance,
}

async fn state(account: &Account, kept: &Kept) -> Result<Option<Found>, DriverError> {
    let connection = reach(account, kept).await?;
    let state = connection.state().await.map_err(errors::before)?;
    let kept = Kept::seen(kept.machine.clone(), &connection);
    let Some(marker) = state.marker else { return Ok(None) };
    let instance = instance(&marker, &kept, &connection, state.address)?;
    connection.close().await;
    Ok(Some(Found { cluster: marker.cluster, instance }))
}

pub(crate) async fn observe(
    account: &Account,
    cluster: &str,
    targets: &[Target],
) -> Vec<Result<Instance, DriverError>> {
    let looks: Vec<_> = targets.iter().map(|target| observe_one(account, cluster, target)).collect();
    stream::iter(looks).buffered(AT_ONCE).collect().await
}

async fn observe_one(account: &Account, cluster: &str, target: &Target) -> Result<Instance, DriverError> {
    let id = &target.instance.provider_id;
    let parsed = Id::parse(id).ok_or_else(|| errors::not_found(id.as_str()))?;
    let kept = Kept::of(target, &parsed, &account.inventory);
    let found = state(account, &kept).await?;
    let mine = |found: &Found| found.cluster == cluster && found.instance.instance.provider_id == *id;
    found.filter(mine).map(|found| found.instance).ok_or_else(|| errors::not_found(id.as_str()))
}

#[cfg(test)]
mod tests {
    use skep_driver::Access;
    use skep_types::Secret;

    use super::*;

    const SITES: &str =
        "name,address,user,jump\na-1,10.0.0.5,,gate-a\nb-1,10.0.0.5,,gate-b\nb-2,10.0.0.5,,gate-b\n";

    #[tokio::test]
    async fn the_same_address_behind_another_jump_host_is_another_machine() {
        let mut access = Access::plain("office".parse().unwrap());
        access.credentials = [("inventory".to_owned(), Secret::new(SITES))].into();
        let known = known(&Account::read(access).unwrap()).await;
        let names: Vec<_> = known.iter().filter_map(|kept| kept.machine.name.as_deref()).collect();
        assert_eq!(names, ["a-1", "b-1"], "b-2 is b-1 by another name");
    }
}
