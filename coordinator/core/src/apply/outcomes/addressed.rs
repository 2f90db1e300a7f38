//! Instances have been seen at other addresses than before.

use skep_types::AccountName;

use super::{is_owner, unchanged};
use crate::apply::tx::Tx;
use crate::command::{Addresses, Reply};
use crate::state::Instance;

pub(super) fn apply(tx: &mut Tx<'_>, account: &AccountName, epoch: u64, instances: &[Addresses]) -> Reply {
    let Some(record) = tx.state.accounts.get(account).cloned() else {
        return unchanged("the account is gone");
    };
    let mut changed = false;
    for seen in instances {
        let ours = tx.state.host(seen.host).is_some_and(|host| host.template.account == *account);
        if ours && is_owner(tx, account, record.shard_of(seen.host), epoch) {
            changed |= readdress(tx, seen);
        }
    }
    if changed { Reply::Done } else { unchanged("every instance is where it was") }
}

fn readdress(tx: &mut Tx<'_>, seen: &Addresses) -> bool {
    let Some(host) = tx.state.host(seen.host).cloned() else { return false };
    let Some(new) = host.instance.as_ref().and_then(|bound| moved(bound, seen)) else { return false };
    let places = [new.public_address, new.private_address].into_iter().flatten();
    let places: Vec<String> = places.map(|address| address.to_string()).collect();
    tx.update_host(host.id, |host| host.instance = Some(new));
    tx.host_event(&host, "Addressed", &places.join(", "));
    true
}

/// The instance, where it is now; None if it is another one, or where it was.
fn moved(bound: &Instance, seen: &Addresses) -> Option<Instance> {
    if bound.instance.provider_id != seen.provider_id {
        return None;
    }
    let private_address = seen.private_address.or(bound.private_address);
    let new = Instance { private_address, public_address: seen.public_address, ..bound.clone() };
    (new != *bound && new.address().is_some()).then_some(new)
}
