//! What an owner might say of its driver.

use skep_core::command::{Addresses, Failure, OutcomeCommand, Placement, Shortfall};

use super::Wild;

impl Wild<'_> {
    pub(super) fn outcome(&mut self) -> OutcomeCommand {
        let (intent, epoch) = (self.intent(), self.epoch());
        match self.chance.below(11) {
            0 => OutcomeCommand::MarkAttempted { intent, epoch, attempt: 1 },
            1..5 => {
                let placements = (0..self.chance.below(4)).map(|_| self.placement()).collect();
                if self.chance.percent(25) {
                    return OutcomeCommand::Remains { intent, epoch, placements, reason: self.text() };
                }
                OutcomeCommand::Bind { intent, epoch, placements }
            }
            5..7 => {
                let shortfall =
                    self.chance.percent(50).then(|| Shortfall { kind: self.kind(), message: self.text() });
                OutcomeCommand::CloseCreate { intent, epoch, shortfall }
            }
            7..9 => {
                let targets = self.state.intents.get(&intent).map_or(0, |intent| intent.hosts().len());
                let count = if self.chance.percent(80) { targets } else { self.chance.below(4) };
                let mut result = |_| match self.chance.percent(50) {
                    true => Ok(()),
                    false => Err(Failure { kind: self.kind(), message: self.text() }),
                };
                let results = (0..count).map(&mut result).collect();
                OutcomeCommand::CloseTargets { intent, epoch, results }
            }
            9 => {
                let account = self.account();
                let instances = (0..self.chance.below(4)).map(|_| self.addresses()).collect();
                OutcomeCommand::Addressed { account, epoch, instances }
            }
            _ => OutcomeCommand::DestroyOrphan {
                account: self.account(),
                epoch,
                instance: self.instance(),
                intent: self.chance.percent(80).then_some(intent),
            },
        }
    }

    fn addresses(&mut self) -> Addresses {
        Addresses {
            host: self.host(),
            provider_id: self.instance().provider_id,
            private_address: self.chance.percent(50).then(|| self.address()),
            public_address: self.chance.percent(50).then(|| self.address()),
        }
    }

    fn placement(&mut self) -> Placement {
        Placement {
            host: self.chance.percent(50).then(|| self.host()),
            instance: self.instance(),
            private_address: Some(self.address()),
            public_address: None,
            zone: String::new(),
            sealed_kept: None,
        }
    }
}
