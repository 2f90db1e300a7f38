//! A request of EC2's query protocol: a form. Pure.

use std::collections::BTreeMap;

/// The fields of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    pub(crate) fn set(&mut self, field: &str, value: impl Into<String>) {
        self.0.insert(field.to_owned(), value.into());
    }

    pub(crate) fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// What a create asks for, as [`Behaviour`](crate::Behaviour) names it.
    pub(crate) fn shapes(&self) -> Vec<String> {
        let instance_type = self.get("InstanceType").unwrap_or_default();
        let zone = self.get("Placement.AvailabilityZone").unwrap_or_default();
        let mut shapes = vec![instance_type.to_owned(), format!("{instance_type}/{zone}")];
        shapes.extend(self.is_spot().then(|| "spot".to_owned()));
        shapes
    }

    pub(crate) fn is_spot(&self) -> bool {
        self.get("InstanceMarketOptions.MarketType") == Some("spot")
    }

    /// A spot instance that may be stopped and started says so.
    pub(crate) fn is_persistent(&self) -> bool {
        self.get("InstanceMarketOptions.SpotOptions.SpotInstanceType") == Some("persistent")
    }

    pub(crate) fn number(&self, field: &str) -> u32 {
        self.get(field).and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// The values of a list, as in InstanceId.1, InstanceId.2.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let of = |number: usize| self.get(&format!("{name}.{number}")).map(str::to_owned);
        (1..).map_while(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_create_has_the_shapes_that_room_is_told_for() {
        let shapes = |body: &[u8]| Form::parse(body).shapes();
        assert_eq!(shapes(b"InstanceType=a&Placement.AvailabilityZone=z1"), ["a", "a/z1"]);
        assert_eq!(shapes(b"InstanceType=a&InstanceMarketOptions.MarketType=spot"), ["a", "a/", "spot"]);
    }

    #[test]
    fn a_form_is_read_changed_and_written() {
        let mut form = Form::parse(
            b"Action=RunInstances&MinCount=1&UserData=a%2Bb%3D&InstanceId.1=i-1&InstanceId.2=i-2",
        );
        assert_eq!((form.action(), form.get("UserData")), ("RunInstances", Some("a+b=")));
        assert_eq!(form.list("InstanceId"), ["i-1", "i-2"]);
        form.set("MinCount", "7");
        assert_eq!(Form::parse(form.encode().as_bytes()), form);
        assert_eq!(form.number("MinCount"), 7);
    }
}
