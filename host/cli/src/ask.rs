//! From the command line to the request.

use crate::args::{Activate, Add, AuditVerb, CardVerb, DestinationVerb, Noun, Selector, TaskVerb};
use std::path::Path;
use writ_control::{
    ActivateTask, AddDestination, Ask, Delivery, InterfaceAddresses, Page, TaskSelector, TransportSecurity,
};

/// The request, or what is wrong with the command line.
pub(crate) fn from_arguments(noun: &Noun) -> Result<Ask, String> {
    let page = Page::default();
    Ok(match noun {
        Noun::Status => Ask::Status {},
        Noun::Task { verb: TaskVerb::Activate(activate) } => {
            Ask::TaskActivate { task: Box::new(activation(activate)), dry_run: activate.dry_run }
        }
        Noun::Task { verb: TaskVerb::Deactivate { task, dry_run } } => {
            Ask::TaskDeactivate { task: selector(task)?, dry_run: *dry_run }
        }
        Noun::Task { verb: TaskVerb::Revoke { task, dry_run } } => {
            Ask::TaskRevoke { task: selector(task)?, dry_run: *dry_run }
        }
        Noun::Task { verb: TaskVerb::List { reveal } } => Ask::TaskList { reveal: *reveal, page },
        Noun::Task { verb: TaskVerb::Show { task, reveal } } => {
            Ask::TaskShow { task: selector(task)?, reveal: *reveal }
        }
        Noun::Destination { verb: DestinationVerb::Add(add) } => {
            Ask::DestinationAdd { destination: Box::new(destination(add)?), dry_run: add.dry_run }
        }
        Noun::Destination { verb: DestinationVerb::List } => Ask::DestinationList {},
        Noun::Destination { verb: DestinationVerb::Remove { name, dry_run } } => {
            Ask::DestinationRemove { name: name.clone(), dry_run: *dry_run }
        }
        Noun::Card { verb: CardVerb::Status, .. } => Ask::CardStatus {},
        Noun::Card { verb: CardVerb::Counters, .. } => Ask::CardCounters {},
        Noun::Card { verb: CardVerb::Tables { reveal }, .. } => Ask::CardTables { reveal: *reveal, page },
        Noun::Audit { verb: AuditVerb::Show { task, .. } } => Ask::AuditShow { task: *task, page },
        Noun::Audit { verb: AuditVerb::Verify { expect_head } } => {
            Ask::AuditVerify { expect_head: expect_head.clone() }
        }
        Noun::Card { verb: CardVerb::Local(_), .. } | Noun::Completions { .. } | Noun::Man => {
            return Err("nothing to ask the daemon".into());
        }
    })
}

fn activation(args: &Activate) -> ActivateTask {
    ActivateTask {
        xid: args.xid,
        kind: args.kind,
        authority: args.authority.clone(),
        officer: args.officer.clone(),
        signer: args.signer.clone(),
        circuit: args.circuit.clone(),
        username: args.username.clone(),
        access_type: args.access_type.clone(),
        liid: args.liid.clone(),
        targets: args.targets.clone(),
        scope: args.scope,
        deliver: args.deliver,
        destination: args.destination.clone(),
        start: args.start,
        end: args.end,
    }
}

fn selector(args: &Selector) -> Result<TaskSelector, String> {
    match (args.xid, &args.liid, &args.destination) {
        (Some(xid), None, None) => Ok(TaskSelector::Xid { xid }),
        (None, Some(liid), Some(destination)) => {
            Ok(TaskSelector::Handover { destination: destination.clone(), liid: liid.clone() })
        }
        _ => Err("name the task by its XID, or by --liid and --destination".into()),
    }
}

fn destination(args: &Add) -> Result<AddDestination, String> {
    let addresses = match (args.interface, args.hi2, args.hi3, args.x2, args.x3) {
        (Delivery::Hi, Some(hi2), Some(hi3), None, None) => InterfaceAddresses::Hi { hi2, hi3 },
        (Delivery::X, None, None, Some(x2), Some(x3)) => InterfaceAddresses::X { x2, x3 },
        (Delivery::Hi, ..) => return Err("--interface hi takes --hi2 and --hi3, and neither --x2 nor --x3".into()),
        (Delivery::X, ..) => return Err("--interface x takes --x2 and --x3, and neither --hi2 nor --hi3".into()),
    };
    let security = match &args.server_name {
        None if args.danger_plaintext => TransportSecurity::DangerPlaintext,
        None => return Err("--server-name is missing".into()),
        Some(server_name) => TransportSecurity::MutualTls {
            server_name: server_name.clone(),
            ca_pem: args.ca.as_deref().map(read_ca).transpose()?,
            min_tls: args.min_tls,
        },
    };
    let settings = args.settings.settings();
    Ok(AddDestination { name: args.name.clone(), addresses, security, confirmation: args.confirm, settings })
}

fn read_ca(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("--ca {}: {error}", path.display()))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(text)
    } else {
        Err(format!("--ca {}: holds no PEM certificate", path.display()))
    }
}
