//! What a machine is called at its cloud. Pure.

use aws_lc_rs::digest::{SHA256, digest};
use skep_driver::{CreateIntent, Slot};

/// Of a host's name: 63 bytes, the most that clouds take, without the ending.
const NAME_BYTES: usize = 52;
const ENDING_BYTES: usize = 5;

/// The host's name with an ending that no other intent, incarnation or cluster has. It is the provider id too: the
/// protocol tells no other.
pub(crate) fn machine(intent: &CreateIntent, slot: &Slot) -> String {
    let whose = format!("{}/{}/{}/{}", intent.cluster, intent.intent, slot.host, slot.incarnation);
    let ending = hex::encode(&digest(&SHA256, whose.as_bytes()).as_ref()[..ENDING_BYTES]);
    let name = &slot.name[..slot.name.floor_char_boundary(NAME_BYTES)];
    format!("{}-{ending}", name.trim_end_matches('-'))
}
