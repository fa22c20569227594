use super::*;
use proptest::prelude::*;

const NOW: TaiNs = TaiNs(1_700_000_000 * NS_PER_S);
const HI: DestinationIndex = DestinationIndex(1);
const X: DestinationIndex = DestinationIndex(2);

fn destinations() -> BTreeMap<DestinationIndex, DestinationInterfaces> {
    let hi = DestinationInterfaces(vec![Interface::Hi2, Interface::Hi3]);
    let x = DestinationInterfaces(vec![Interface::X2, Interface::X3]);
    BTreeMap::from([(HI, hi), (X, x)])
}

fn responsible() -> Responsible {
    Responsible { uid: 1000, name: Sensitive::new("Pat Example") }
}

fn target(text: &str) -> TargetIdentifier {
    TargetIdentifier {
        text: Sensitive::new(text),
        address: None,
        prefix_bits: None,
        x1_fragments: Vec::new(),
        selects_frames: text.starts_with("mac="),
    }
}

fn read_target(text: &str) -> Option<TargetIdentifier> {
    text.contains('=').then(|| target(text))
}

fn request() -> ActivationRequest {
    ActivationRequest {
        xid: "11111111-2222-4333-8444-555555555555".into(),
        liid: "LEA/4711".into(),
        kind: Some(OrderKind::Title3),
        authority_reference: "case 26-123".into(),
        officer: "D. Officer".into(),
        signer: "J. Judge".into(),
        circuit: "CKT-9".into(),
        username: "subscriber@example.net".into(),
        access_type: Some(AccessType::Fttx),
        targets: vec![target("ipv4=192.0.2.1")],
        scope: Some(Scope::Content),
        delivery: Some(Delivery::Hi2AndHi3),
        destinations: vec![HI],
        start: None,
        end: Some(TaiNs(NOW.0 + DAY_S * NS_PER_S)),
    }
}

fn judge(request: &ActivationRequest, live: &[&TaskSpec]) -> Result<TaskSpec, Refusals> {
    let destinations = destinations();
    validate(request, &responsible(), &ActivationContext { now: NOW, destinations: &destinations, live_tasks: live })
}

/// The only refusal of a request that was good before `change`.
fn refusal(change: impl FnOnce(&mut ActivationRequest)) -> (Field, Rule) {
    let mut request = request();
    change(&mut request);
    let Refusals(refusals) = judge(&request, &[]).expect_err("it was spoilt");
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    (refusals[0].field, refusals[0].rule.clone())
}

#[test]
fn a_complete_request_becomes_a_task() {
    let task = judge(&request(), &[]).expect("complete");
    assert_eq!(task.start, NOW, "without a start it begins now");
    assert_eq!(task.packet_interface(), Interface::Hi3);
    assert_eq!(TaskSpec::from_stored(&task.to_stored(), read_target), Ok(task));
}

#[test]
fn every_field_is_required_and_named() {
    let all = judge(&ActivationRequest::default(), &[]).expect_err("empty").0;
    let named: Vec<Field> =
        all.iter().filter(|refusal| refusal.rule == Rule::Required).map(|refusal| refusal.field).collect();
    let expected: Vec<Field> =
        Field::ALL.iter().copied().filter(|field| !matches!(field, Field::Start | Field::Responsible)).collect();
    assert!(expected.iter().all(|field| named.contains(field)), "{named:?}");
    let nobody = Responsible { uid: 0, name: Sensitive::new("") };
    let destinations = destinations();
    let context = ActivationContext { now: NOW, destinations: &destinations, live_tasks: &[] };
    let refusals = validate(&request(), &nobody, &context).expect_err("nobody is responsible").0;
    assert_eq!(refusals, [Refusal { field: Field::Responsible, rule: Rule::Required }]);
}

#[test]
fn kinds_of_order_limit_what_is_delivered_and_for_how_long() {
    let (field, rule) = refusal(|request| {
        request.kind = Some(OrderKind::PenRegister);
        request.delivery = Some(Delivery::Hi2Only);
        request.scope = Some(Scope::HeadersL4);
        request.end = Some(TaiNs(NOW.0 + 61 * DAY_S * NS_PER_S));
    });
    assert_eq!((field, rule), (Field::End, Rule::TermTooLong { kind: OrderKind::PenRegister, term_s_max: 60 * DAY_S }));
    let pen = |request: &mut ActivationRequest| request.kind = Some(OrderKind::TrapTrace);
    let mut content = request();
    pen(&mut content);
    let refusals = judge(&content, &[]).expect_err("content under trap and trace").0;
    assert_eq!(refusals[0], Refusal { field: Field::Scope, rule: Rule::NotAllowedFor(OrderKind::TrapTrace) });
    assert_eq!(refusals[1], Refusal { field: Field::Delivery, rule: Rule::NotAllowedFor(OrderKind::TrapTrace) });
    for (kind, term_s) in
        [(OrderKind::Title3, 30 * DAY_S), (OrderKind::Emergency, 2 * DAY_S), (OrderKind::Fisa, 365 * DAY_S)]
    {
        let end = |s: u64| Some(TaiNs(NOW.0 + s * NS_PER_S));
        let mut at_limit = request();
        (at_limit.kind, at_limit.end) = (Some(kind), end(term_s));
        judge(&at_limit, &[]).expect("exactly the longest term");
        let over =
            refusal(|request| (request.kind, request.end) = (Some(kind), end(term_s).map(|end| TaiNs(end.0 + 1))));
        assert_eq!(over.0, Field::End);
    }
}

#[test]
fn the_term_counts_from_the_start_that_the_order_names() {
    let days = |days: u64| DAY_S * NS_PER_S * days;
    let begun = TaiNs(NOW.0 - days(21));
    let of_an_order = |end| ActivationRequest { start: Some(begun), end: Some(TaiNs(end)), ..request() };
    let task = judge(&of_an_order(begun.0 + days(30)), &[]).expect("exactly the longest term");
    assert_eq!(task.start, begun);
    let refusals = judge(&of_an_order(begun.0 + days(30) + 1), &[]).expect_err("longer").0;
    let too_long = Rule::TermTooLong { kind: OrderKind::Title3, term_s_max: 30 * DAY_S };
    assert_eq!(refusals, [Refusal { field: Field::End, rule: too_long }]);
    assert_eq!(judge(&of_an_order(NOW.0), &[]).expect_err("over").0[0].rule, Rule::EndPast);
}

#[test]
fn scope_and_delivery_have_to_fit() {
    let fit = |delivery: Delivery, scope: Scope| {
        let mut request = request();
        (request.delivery, request.scope) = (Some(delivery), Some(scope));
        request.destinations = vec![if delivery.is_handover() { HI } else { X }];
        judge(&request, &[]).is_ok()
    };
    for &delivery in Delivery::ALL {
        let has_content = matches!(delivery, Delivery::Hi2AndHi3 | Delivery::X3Only | Delivery::X2AndX3);
        assert_eq!(fit(delivery, Scope::Content), has_content, "{delivery:?}");
        assert_eq!(fit(delivery, Scope::HeadersL4), !has_content, "{delivery:?}");
        assert_eq!(fit(delivery, Scope::HeadersL3), !has_content, "{delivery:?}");
    }
}

/// HI3 and header reports carry IP packets only: what else a frame may hold would be lost without a word.
#[test]
fn whole_frames_need_content_on_x3() {
    for &delivery in Delivery::ALL {
        for &scope in Scope::ALL {
            let mut request = request();
            request.targets.push(target("mac=02:00:5e:00:53:01"));
            (request.delivery, request.scope) = (Some(delivery), Some(scope));
            request.destinations = vec![if delivery.is_handover() { HI } else { X }];
            let judged = judge(&request, &[]);
            let good = scope == Scope::Content && matches!(delivery, Delivery::X3Only | Delivery::X2AndX3);
            let told = Refusal { field: Field::Targets, rule: Rule::WholeFrames(1) };
            match judged {
                Ok(task) => assert!(good && TaskSpec::from_stored(&task.to_stored(), read_target) == Ok(task)),
                Err(Refusals(all)) => assert!(!good && all.contains(&told), "{delivery:?} {scope:?}: {all:?}"),
            }
        }
    }
    assert!(Rule::WholeFrames(1).to_string().contains("x3"));
}

#[test]
fn bad_values_are_named_and_never_repeated() {
    assert_eq!(refusal(|r| r.end = Some(NOW)), (Field::End, Rule::EndPast));
    assert_eq!(
        refusal(|r| (r.start, r.end) = (Some(TaiNs(NOW.0 + 9)), Some(TaiNs(NOW.0 + 9)))).1,
        Rule::EndNotAfterStart
    );
    assert_eq!(
        refusal(|r| r.destinations = vec![DestinationIndex(9)]).1,
        Rule::UnknownDestination(DestinationIndex(9))
    );
    assert_eq!(refusal(|r| r.destinations.push(HI)).1, Rule::Repeated(1));
    assert_eq!(refusal(|r| r.officer = "x".repeat(257)), (Field::Officer, Rule::TooLong(256)));
    assert_eq!(refusal(|r| r.targets.push(r.targets[0].clone())), (Field::Targets, Rule::Repeated(1)));
    let lacks = judge(&ActivationRequest { destinations: vec![X], ..request() }, &[]).expect_err("HI towards X").0;
    assert_eq!(lacks[0].rule, Rule::DestinationLacks(X, Interface::Hi2));
    let (field, rule) = refusal(|r| r.liid = "LEA 4711 secret".into());
    assert_eq!(field, Field::Liid);
    assert!(!rule.to_string().contains("secret") && !format!("{:?}", request()).contains("4711"));
}

#[test]
fn two_agencies_may_have_one_target_and_one_may_not_have_it_twice() {
    let first = judge(&request(), &[]).expect("good");
    let mut second = request();
    second.liid = "OTHER-1".into();
    judge(&second, &[&first]).expect("same XID, other LIID");
    assert_eq!(judge(&request(), &[&first]).expect_err("same LIID").0[0].rule, Rule::LiidInUse(HI));
    second.targets = vec![target("ipv4=192.0.2.2")];
    assert_eq!(judge(&second, &[&first]).expect_err("other target").0[0].rule, Rule::XidOfOtherTarget);
    let x = |liid: &str| ActivationRequest {
        liid: liid.into(),
        delivery: Some(Delivery::X3Only),
        destinations: vec![X],
        ..request()
    };
    let on_x = judge(&x("A"), &[&first]).expect("another destination");
    assert_eq!(judge(&x("B"), &[&on_x]).expect_err("same XID there").0[0].rule, Rule::XidInUse(X));
}

#[test]
fn refusals_in_words_name_destinations_as_the_operator_does() {
    let lacks = judge(&ActivationRequest { destinations: vec![X], ..request() }, &[]).expect_err("HI towards X");
    let text = lacks.text(|index| format!("`mdf-{}`", index.0));
    assert!(text.starts_with("destinations: destination `mdf-2` has no interface hi2; "), "{text}");
    for &kind in OrderKind::ALL {
        let text = Rule::NotAllowedFor(kind).to_string();
        let article = if kind == OrderKind::Emergency { "an" } else { "a" };
        assert!(text.contains(&format!(" {article} {} order", kind.name())), "{text}");
    }
}

#[test]
fn damaged_stored_tasks_name_the_field() {
    let stored = String::from_utf8(judge(&request(), &[]).expect("good").to_stored()).expect("JSON");
    let spoil = |from: &str, to: &str| {
        TaskSpec::from_stored(stored.replace(from, to).as_bytes(), read_target).expect_err("spoilt")
    };
    assert_eq!(spoil("\"title3\"", "\"title4\""), crate::StoredError::Field("kind"));
    assert_eq!(spoil("\"hi2+hi3\"", "\"hi2\""), crate::StoredError::Field("delivery"));
    assert_eq!(spoil("\"ipv4=192.0.2.1\"", "\"192.0.2.1\""), crate::StoredError::Field("targets"));
    assert_eq!(spoil("\"ipv4=192.0.2.1\"", "\"mac=02:00:5e:00:53:01\""), crate::StoredError::Field("targets"));
    assert_eq!(spoil("\"version\":1", "\"version\":2"), crate::StoredError::Version(2));
    assert!(matches!(spoil("\"liid\"", "\"ljid\""), crate::StoredError::Form { .. }));
}

proptest! {
    /// Whatever is asked for, what is accepted keeps every rule.
    #[test]
    fn nothing_accepted_breaks_a_rule(
        kind in 0..OrderKind::ALL.len(), scope in 0..Scope::ALL.len(), delivery in 0..Delivery::ALL.len(),
        start_s in 0..400 * DAY_S, term_s in 0..400 * DAY_S,
    ) {
        let (kind, scope, delivery) = (OrderKind::ALL[kind], Scope::ALL[scope], Delivery::ALL[delivery]);
        let start = NOW.0 + start_s * NS_PER_S;
        let request = ActivationRequest {
            kind: Some(kind), scope: Some(scope), delivery: Some(delivery),
            destinations: vec![if delivery.is_handover() { HI } else { X }],
            start: Some(TaiNs(start)), end: Some(TaiNs(start + term_s * NS_PER_S)),
            ..request()
        };
        if let Ok(task) = judge(&request, &[]) {
            let rules = kind.rules();
            prop_assert!(rules.scopes.contains(&scope) && rules.deliveries.contains(&delivery));
            prop_assert!(task.end.0 - task.start.0 <= rules.term_s_max * NS_PER_S && task.end > task.start);
            if matches!(kind, OrderKind::PenRegister | OrderKind::TrapTrace) {
                prop_assert!(matches!(task.packet_interface(), Interface::Hi2 | Interface::X2));
            }
        }
    }

    #[test]
    fn stored_tasks_never_panic(bytes: Vec<u8>) {
        let _ = TaskSpec::from_stored(&bytes, read_target);
    }
}
