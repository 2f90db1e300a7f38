//! Commands from people.

use skep_core::command::{AddAccount, CreateHosts, CreateSwarm, Request, RequestCommand, RequestMeta, Share};

use super::wire::{choice, record};

record! {
    Share { template, weight, max }
    RequestCommand { meta, request }
    RequestMeta { request_id, body, actor, generation, peer, method, if_revision }
    AddAccount { account, driver, settings, replace }
    CreateHosts { shares, name, count, min_count, policy, max_failures, on_failure }
    CreateSwarm { shares, name, managers, workers, policy, on_failure }
}

choice! {
    Request as request {
        CreateHosts(create)
        CreateSwarm(create)
        DeleteHosts { hosts, force }
        DeleteSwarm { swarm }
        PowerHosts { hosts, action }
        PutPerson { name, role, dismiss_certificates }
        RemovePerson { name }
        CreateJoinToken { token, expires_at }
        RemoveCoordinator { coordinator }
        AddAccount(add)
        RemoveAccount { account }
        SetAccountLimits { account, limits }
        RotateCredentials { account, credentials }
    }
}
