//! The emulator's answers: read for the instances in them, and changed in place. Pure.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::ops::Range;

use roxmltree::{Document, Node};

/// An answer that is no XML, or not as EC2 writes it.
#[derive(Debug, thiserror::Error)]
#[error("the emulator's answer cannot be read")]
pub struct Unreadable(#[from] roxmltree::Error);

/// The instances of an answer.
pub(crate) fn instances(xml: &str) -> Result<Vec<String>, Unreadable> {
    let document = Document::parse(xml)?;
    Ok(items(&document).filter_map(|item| child(item, "instanceId")).map(|(id, _)| id.to_owned()).collect())
}

/// What is told otherwise than the emulator does.
pub(crate) struct Changes<'a, H> {
    /// Instances that are not told at all.
    pub(crate) hidden: H,
    /// Of the instances that have others than the emulator gave them.
    pub(crate) addresses: &'a HashMap<String, Ipv4Addr>,
    /// The elements that they stand in.
    pub(crate) called: &'a [&'a str],
    /// Elements that are not told of any instance.
    pub(crate) without: &'a [&'a str],
}

pub(crate) fn rewritten<H: Fn(&str) -> bool>(
    xml: &str,
    changes: &Changes<'_, H>,
) -> Result<String, Unreadable> {
    let document = Document::parse(xml)?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for item in items(&document) {
        let Some((id, _)) = child(item, "instanceId") else { continue };
        if (changes.hidden)(id) {
            edits.push((item.range(), String::new()));
            continue;
        }
        edits.extend(elements(item, changes.without).map(|node| (node.range(), String::new())));
        if let Some(address) = changes.addresses.get(id) {
            let told = elements(item, changes.called).filter(|node| !is_any(*node, changes.without));
            let texts = told.filter_map(|node| node.first_child());
            edits.extend(texts.map(|text| (text.range(), address.to_string())));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut to = String::with_capacity(xml.len());
    let mut at = 0;
    for (range, text) in edits {
        to.push_str(&xml[at..range.start]);
        to.push_str(&text);
        at = range.end;
    }
    to.push_str(&xml[at..]);
    Ok(to)
}

/// Those that the emulator makes up belong to somebody.
pub(crate) const PUBLIC: [&str; 2] = ["ipAddress", "publicIp"];
pub(crate) const ALL: [&str; 3] = ["privateIpAddress", "ipAddress", "publicIp"];

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15";

fn name(local: &str) -> (&str, &str) {
    (NAMESPACE, local)
}

fn items<'a>(document: &'a Document<'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    let sets = document.descendants().filter(|node| node.has_tag_name(name("instancesSet")));
    sets.flat_map(|set| set.children()).filter(|node| node.has_tag_name(name("item")))
}

fn elements<'a>(item: Node<'a, 'a>, called: &[&str]) -> impl Iterator<Item = Node<'a, 'a>> {
    item.descendants().filter(|node| is_any(*node, called))
}

fn is_any(node: Node<'_, '_>, called: &[&str]) -> bool {
    called.iter().any(|tag| node.has_tag_name(name(tag)))
}

fn child<'a>(item: Node<'a, 'a>, local: &str) -> Option<(&'a str, Range<usize>)> {
    let node = item.children().find(|node| node.has_tag_name(name(local)))?;
    Some((node.text()?, node.first_child()?.range()))
}

/// A refusal, as EC2 writes it.
pub(crate) fn refusal(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{message}\
         </Message></Error></Errors><RequestID>of-the-proxy</RequestID></Response>"
    )
}

/// An answer to GetConsoleOutput. `output` is base64.
pub(crate) fn console(output: &str) -> String {
    format!(
        "<GetConsoleOutputResponse xmlns=\"{NAMESPACE}\"><requestId>of-the-proxy</requestId>\
         <output>{output}</output></GetConsoleOutputResponse>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = concat!(
        r#"<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><reservationSet><item>"#,
        "<instancesSet><item><networkInterfaceSet><item><privateIpAddress>10.0.0.1</privateIpAddress></item>",
        "</networkInterfaceSet><instanceId>i-1</instanceId><ipAddress>203.0.113.1</ipAddress><privateIpAddress>10.0.0.1</privateIpAddress></item>",
        "<item><instanceId>i-2</instanceId></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
    );

    #[test]
    fn instances_are_found() {
        assert_eq!(instances(ANSWER).unwrap(), ["i-1", "i-2"]);
    }

    fn changed(hidden: &str, called: &[&str], without: &[&str]) -> String {
        let addresses = HashMap::from([("i-1".to_owned(), Ipv4Addr::new(192, 0, 2, 7))]);
        let hidden = |id: &str| id == hidden;
        rewritten(ANSWER, &Changes { hidden, addresses: &addresses, called, without }).unwrap()
    }

    #[test]
    fn an_instance_is_hidden_and_another_one_moved() {
        let seen = changed("i-2", &ALL, &[]);
        assert_eq!(instances(&seen).unwrap(), ["i-1"]);
        assert_eq!(seen.matches("192.0.2.7").count(), 3);
        assert!(!seen.contains("10.0.0.1") && !seen.contains("203.0.113.1"));
        let seen = changed("", &PUBLIC, &[]);
        assert_eq!((seen.matches("192.0.2.7").count(), seen.matches("10.0.0.1").count()), (1, 2));
    }

    #[test]
    fn an_instance_has_no_public_address_yet() {
        let seen = changed("", &ALL, &PUBLIC);
        assert_eq!(instances(&seen).unwrap(), ["i-1", "i-2"]);
        assert!(!seen.contains("ipAddress") && seen.matches("192.0.2.7").count() == 2);
    }
}
