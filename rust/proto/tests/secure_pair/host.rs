// SPDX-License-Identifier: GPL-2.0

//! A host with one connection: as much of TCP as it takes, and the protocol.

use crate::wire::{Chance, Segment};
use core::time::Duration;
use hmac::Mac;
use tcp_continuity::proto::addr::Endpoint;
use tcp_continuity::proto::correspondent::secure::{
    Action as PeerAction, Correspondent, Event as PeerEvent,
};
use tcp_continuity::proto::crypto::{Ends, Hmac, Secret, KEY, X25519};
use tcp_continuity::proto::exchange::{Action as ExchangeAction, Computed};
use tcp_continuity::proto::flow::{Action, Event, Flow};
use tcp_continuity::proto::handshake::{Client, Offer, Server};
use tcp_continuity::proto::happening::{Happening, Reject};
use tcp_continuity::proto::ids::{Challenge, Epoch, Nonce, PublicValue};
use tcp_continuity::proto::keyring::Keyring;
use tcp_continuity::proto::option::secure::{Carrier, Secure};
use tcp_continuity::proto::option::SPACE;
use tcp_continuity::proto::path::Syn;
use tcp_continuity::proto::probe::{Event as ProbeEvent, Probe};
use tcp_continuity::proto::seq::SeqNum;
use tcp_continuity::proto::session::{Session, Strength};
use tcp_continuity::proto::settings::Settings;
use tcp_continuity::proto::time::Instant;

pub use tcp_continuity::proto::flow::State;

mod asking;

pub const CLIENT_PORT: u16 = 40_000;
pub const SERVER_PORT: u16 = 22;
/// A full segment.
pub const SEGMENT: u32 = 1500;
/// What may be sent to a new path for nothing (S-40): that, and a CONFIRM of so many octets at most.
pub const FLOOR: u32 = SEGMENT + 100;
const RTO: Duration = Duration::from_millis(400);
/// Numbers do not matter here.
const SYN: Syn = Syn {
    ack: SeqNum::new(1),
    expects: SeqNum::new(1),
};
/// How often a host has something to say.
const CHATTER: u64 = 1_000;
/// How long a host needs to compute something for the key exchange.
const COMPUTING: u64 = 7;
/// How often it speaks in vain until that is silence.
const PATIENCE: u32 = 2;
/// How many full segments follow a restart.
const WINDOW: u32 = 10;

pub fn endpoint(address: [u8; 4], port: u16) -> Endpoint {
    Endpoint {
        address: address.into(),
        port,
    }
}

/// HMAC-SHA-256, and X25519.
pub struct Sha256;

impl Hmac for Sha256 {
    fn hmac(&self, key: &[u8; KEY], parts: &[&[u8]]) -> [u8; KEY] {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).expect("any key");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl X25519 for Sha256 {
    fn public(&self, secret: &Secret) -> PublicValue {
        let secret = x25519_dalek::StaticSecret::from(*secret.octets());
        PublicValue(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }

    fn shared(&self, secret: &Secret, theirs: &PublicValue) -> Option<Secret> {
        let secret = x25519_dalek::StaticSecret::from(*secret.octets());
        let shared = secret.diffie_hellman(&theirs.0.into());
        let good = shared.was_contributory();
        good.then(|| Secret::new(shared.to_bytes()))
    }
}

/// How far the connection is open.
enum Opening {
    Listening,
    SynSent(Client),
    SynReceived(Option<Server>),
    Established,
}

pub struct Host {
    local: Endpoint,
    machine: Correspondent,
    opening: Opening,
    session: Option<Session>,
    flow: Option<Flow>,
    probe: Probe,
    /// How often it has spoken since it heard the peer.
    unheard: u32,
    /// How often it heard the peer: so much is acknowledged.
    heard: u32,
    /// Whether its socket is gone, so that it answers all with RST.
    pub is_gone: bool,
    pub settings: Settings,
    chance: Chance,
    /// What was computed, and when it is there.
    computing: Option<(u64, Computed)>,
    /// When it has something to say, or its SYN or SYN/ACK was not answered.
    chatter: u64,
    has_address: bool,
    /// Where the peer was: what comes from there is no stranger's.
    left: Vec<Endpoint>,
    counts: Vec<Happening>,
    pub rejects: Vec<Reject>,
    /// What it sends.
    pub out: Vec<Segment>,
}

impl Host {
    pub fn new(local: Endpoint, remote: Endpoint, seed: u64) -> Self {
        Self {
            local,
            machine: Correspondent::new(remote),
            opening: Opening::Listening,
            session: None,
            flow: None,
            probe: Probe::new(),
            unheard: 0,
            heard: 0,
            is_gone: false,
            settings: Settings::default(),
            chance: Chance(seed),
            computing: None,
            chatter: u64::MAX,
            has_address: true,
            left: Vec::new(),
            counts: Vec::new(),
            rejects: Vec::new(),
            out: Vec::new(),
        }
    }

    pub fn local(&self) -> Endpoint {
        self.local
    }

    pub fn remote(&self) -> Endpoint {
        self.machine.remote()
    }

    pub fn budget(&self) -> Option<u32> {
        self.machine.budget()
    }

    pub fn followed(&self) -> Epoch {
        self.machine.followed()
    }

    pub fn last_epoch(&self) -> Epoch {
        self.session
            .as_ref()
            .map_or(Epoch::NONE, Session::last_epoch)
    }

    pub fn state(&self) -> State {
        self.flow.as_ref().map_or(State::Stable, Flow::state)
    }

    pub fn strength(&self) -> Option<Strength> {
        self.session.as_ref().map(Session::strength)
    }

    pub fn has_exchanged(&self) -> bool {
        self.strength().is_some_and(|strength| strength.ecdh)
    }

    pub fn is_capable(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_capable)
    }

    pub fn is_established(&self) -> bool {
        matches!(self.opening, Opening::Established)
    }

    pub fn count(&self, what: Happening) -> usize {
        self.counts
            .iter()
            .filter(|counted| **counted == what)
            .count()
    }

    /// When it is to be called.
    pub fn deadline(&self) -> u64 {
        let machines = [
            self.machine.deadline(),
            self.flow.as_ref().and_then(Flow::deadline),
            self.session.as_ref().and_then(Session::exchange_deadline),
            self.probe.deadline(),
        ];
        let machines = machines.into_iter().flatten().map(Instant::as_millis);
        let computed = self.computing.as_ref().map_or(u64::MAX, |(at, _)| *at);
        machines.fold(self.chatter.min(computed), u64::min)
    }

    /// Its deadline has come.
    pub fn wake(&mut self, now: u64) {
        if self.chatter <= now {
            self.chatter = now + CHATTER;
            self.speak();
            self.unheard += 1;
            if self.unheard >= PATIENCE && self.is_capable() && self.state() == State::Stable {
                self.tell_probe(now, ProbeEvent::Silence { rto: RTO });
            }
        }
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at.as_millis() <= now);
        if is_due(self.machine.deadline()) {
            self.tell_machine(now, PeerEvent::Deadline);
        }
        if is_due(self.flow.as_ref().and_then(Flow::deadline)) {
            self.tell_flow(now, Event::Deadline);
        }
        if is_due(self.probe.deadline()) {
            self.tell_probe(now, ProbeEvent::Deadline);
        }
        if is_due(self.session.as_ref().and_then(Session::exchange_deadline)) {
            self.meet_exchange(now);
        }
        if let Some((_, computed)) = self.computing.take_if(|(at, _)| *at <= now) {
            let session = self.session.as_mut().expect("of the profile");
            let at = Instant::from_millis(now);
            match session.computed(&Sha256, at, RTO, computed) {
                Ok(action) => self.exchange(action),
                Err(reject) => self.rejects.push(reject),
            }
        }
    }

    /// Something is to be done for the key exchange.
    fn meet_exchange(&mut self, now: u64) {
        let away = self.state() != State::Stable || !self.has_address;
        let fresh = Secret::new(core::array::from_fn(|_| self.random()[0]));
        let session = self.session.as_mut().expect("of the profile");
        let at = Instant::from_millis(now);
        if away {
            session.put_off_exchange(at);
        }
        if let Some(sum) = session.sum(at) {
            let computed = sum.compute(&Sha256, || fresh);
            self.computing = Some((now + COMPUTING, computed));
            return;
        }
        let action = session.meet_exchange(at);
        self.exchange(action);
    }

    /// Does what the key exchange says.
    fn exchange(&mut self, action: Option<ExchangeAction>) {
        let session = self.session.as_mut().expect("of the profile");
        match action {
            // The deadline says so, too.
            None | Some(ExchangeAction::Compute) => {}
            Some(ExchangeAction::Count(what)) => self.counts.push(what),
            Some(ExchangeAction::SendShares { .. }) => {
                for share in session.shares(&Sha256).into_iter().flatten() {
                    self.send_option(Carrier::OptionOnly, &Secure::Keyshare(share));
                }
            }
            Some(ExchangeAction::SendKeyed) => {
                let keyed = session.keyed(&Sha256);
                self.send_option(Carrier::OptionOnly, &Secure::Keyed(keyed));
            }
        }
    }

    /// Opens the connection.
    pub fn open(&mut self, now: u64) {
        let mut client = Client::new(Nonce(self.random()), true, &Keyring::EMPTY);
        let offer = client.syn(20);
        self.opening = Opening::SynSent(client);
        self.send_offer(Carrier::Syn, offer);
        self.chatter = now + CHATTER;
    }

    /// It has nothing to say any more.
    pub fn fall_silent(&mut self) {
        self.chatter = u64::MAX;
    }

    /// The address it has is lost; there may be another.
    pub fn address_lost(&mut self, now: u64, new: Option<Endpoint>) {
        self.has_address = false;
        let last = self.last_epoch();
        let local = self.local.address;
        let wants_syn = self.session.as_ref().is_some_and(Session::wants_syn);
        let flow = Flow::secure(local, last, wants_syn, Instant::from_millis(now));
        self.flow.get_or_insert(flow);
        let event = Event::AddressLost {
            new: new.map(|new| new.address),
            rto: RTO,
            srtt: RTO / 4,
            clock: None,
        };
        self.tell_flow(now, event);
    }

    /// The address it had is there again.
    pub fn address_back(&mut self, now: u64) {
        self.has_address = true;
        let event = Event::AddressAppeared {
            new: Some(self.local.address),
            rto: RTO,
            srtt: RTO / 4,
            clock: None,
        };
        self.tell_flow(now, event);
    }

    /// A segment has come to an address it has.
    pub fn receive(&mut self, now: u64, segment: &Segment) {
        if !self.has_address || segment.destination != self.local {
            return;
        }
        if segment.rst {
            return self.receive_rst(now, segment);
        }
        if self.is_gone {
            return self.send_rst(segment);
        }
        let option = match Secure::find(&segment.options) {
            Ok(option) => option,
            Err(reject) => {
                self.rejects.push(reject);
                None
            }
        };
        if let Some(Err(reject)) = option.map(|option| option.is_in_place(segment.carrier)) {
            return self.rejects.push(reject);
        }
        let moves = matches!(option, Some(Secure::Update(_) | Secure::Confirm(_)));
        match segment.carrier {
            Carrier::Syn | Carrier::SynAck if moves => {
                if let Err(reject) = self.receive_ack(now, segment, option) {
                    self.rejects.push(reject);
                }
            }
            Carrier::Syn => self.receive_syn(segment, now, option),
            Carrier::SynAck => self.receive_syn_ack(now, option),
            Carrier::OptionOnly | Carrier::Other => {
                if let Err(reject) = self.receive_ack(now, segment, option) {
                    self.rejects.push(reject);
                }
                let news = self.session.as_mut().and_then(Session::take_news);
                self.counts.extend(news);
                if !self.is_peers(segment.source) && !self.left.contains(&segment.source) {
                    self.send_rst(segment);
                }
            }
        }
    }

    /// Whether segments from there are the connection's.
    fn is_peers(&self, source: Endpoint) -> bool {
        source == self.remote() || Some(source) == self.machine.lapsed()
    }

    fn receive_syn(&mut self, segment: &Segment, now: u64, option: Option<Secure>) {
        let capable = match option {
            Some(Secure::Capable(capable)) => Some(capable),
            _ => None,
        };
        if let Opening::Listening = self.opening {
            self.machine = Correspondent::new(segment.source);
            let nonce = Nonce(self.random());
            let server = capable.map(|capable| Server::new(capable, nonce, true, &Keyring::EMPTY));
            self.opening = Opening::SynReceived(server.and_then(Result::ok));
            self.chatter = now + CHATTER;
            self.speak();
        } else if let Opening::SynReceived(server) = &self.opening {
            let again = server.as_ref().map(|server| server.syn(capable.as_ref()));
            if let Some(Err(reject)) = again {
                self.rejects.push(reject);
            }
            self.speak();
        }
    }

    fn receive_syn_ack(&mut self, now: u64, option: Option<Secure>) {
        let capable = match option {
            Some(Secure::Capable(capable)) => Some(capable),
            _ => None,
        };
        if let Opening::SynSent(client) = &mut self.opening {
            match client.syn_ack(capable.as_ref(), &Keyring::EMPTY) {
                Ok(news) => self.counts.extend(news),
                Err(reject) => self.rejects.push(reject),
            }
            self.session = client.session(&Sha256, &Keyring::EMPTY);
            if let (Some(session), Some(after)) = (&mut self.session, self.settings.keyshare_after)
            {
                session.plan_exchange(Instant::from_millis(now).after(after));
            }
            self.opening = Opening::Established;
        }
        self.send_ack();
    }

    fn receive_ack(
        &mut self,
        now: u64,
        segment: &Segment,
        option: Option<Secure>,
    ) -> Result<(), Reject> {
        let source = segment.source;
        let is_ours = self.is_peers(source);
        if is_ours {
            if let Opening::SynReceived(server) = &mut self.opening {
                let server = server.take();
                self.session = server.and_then(|server| server.session(&Sha256, &Keyring::EMPTY));
                self.opening = Opening::Established;
            }
        }
        let Some(session) = self.session.as_mut() else {
            return Ok(());
        };
        match option {
            None if is_ours => {
                self.unheard = 0;
                self.heard += 1;
                let octets = segment.octets;
                self.tell_machine(now, PeerEvent::Received { source, octets });
            }
            None | Some(Secure::Capable(_)) => {}
            Some(Secure::Echo(echo)) => {
                let news = session.hear_echo(&Sha256, &echo)?;
                self.counts.extend(news);
            }
            Some(Secure::Update(update)) => {
                let ends = Ends {
                    source,
                    destination: segment.destination,
                };
                let event = PeerEvent::Update {
                    update,
                    ends,
                    syn: (segment.carrier == Carrier::Syn).then_some(SYN),
                    octets: segment.octets,
                    challenge: Challenge(self.random()),
                    rto: RTO,
                    segment: SEGMENT,
                    unanswered: self.unheard >= PATIENCE,
                };
                self.tell_machine(now, event);
            }
            Some(Secure::Confirm(confirm)) => {
                let response = session.answer(&Sha256, &confirm)?;
                let syn = segment.carrier == Carrier::SynAck;
                session.confirmed_on(syn);
                self.send_option(Carrier::OptionOnly, &Secure::Response(response));
                let epoch = confirm.epoch;
                self.tell_flow(now, Event::Confirm { epoch, syn });
                let acknowledged = SeqNum::new(self.heard);
                let event = ProbeEvent::Confirm {
                    epoch,
                    acknowledged,
                };
                self.tell_probe(now, event);
            }
            Some(Secure::Response(response)) => {
                self.tell_machine(now, PeerEvent::Response { response, source });
            }
            // Found by addresses and ports.
            Some(Secure::Keyshare(_) | Secure::Keyed(_)) if !is_ours => {}
            Some(Secure::Keyshare(share)) => {
                let allowed = self.settings.keyshare_after.is_some();
                let action = session.hear_share(&Sha256, &share, allowed)?;
                self.exchange(action);
            }
            Some(Secure::Keyed(keyed)) => {
                let action = session.hear_keyed(&Sha256, &keyed)?;
                self.exchange(action);
            }
        }
        Ok(())
    }

    /// What TCP sends of itself: what was not answered again, or a little data.
    fn speak(&mut self) {
        match &mut self.opening {
            Opening::Listening => {}
            Opening::SynSent(client) => {
                let offer = client.syn(20);
                self.send_offer(Carrier::Syn, offer);
            }
            Opening::SynReceived(server) => {
                let offer = server
                    .as_mut()
                    .map_or(Offer::Plain, |server| server.syn_ack(20));
                self.send_offer(Carrier::SynAck, offer);
            }
            Opening::Established => {
                self.send(Carrier::Other, Vec::new(), 600);
                self.send_ack();
            }
        }
    }

    fn send_offer(&mut self, carrier: Carrier, offer: Offer) {
        let options = match offer {
            Offer::Carry(capable) => octets_of(&Secure::Capable(capable)),
            Offer::Plain | Offer::NoRoom => Vec::new(),
        };
        self.send(carrier, options, 60);
    }

    fn send_ack(&mut self) {
        let echo = self
            .session
            .as_mut()
            .and_then(|session| session.echo(&Sha256));
        let options = echo.map_or_else(Vec::new, |echo| octets_of(&Secure::Echo(echo)));
        self.send(Carrier::OptionOnly, options, 52);
    }

    fn send_option(&mut self, carrier: Carrier, option: &Secure) {
        let options = octets_of(option);
        let octets = 52 + u32::try_from(options.len()).expect("forty at most");
        self.send(carrier, options, octets);
    }

    /// Sends, if it may.
    fn send(&mut self, carrier: Carrier, options: Vec<u8>, octets: u32) {
        let forbidden = self.machine.budget().is_some_and(|budget| budget < octets);
        if !self.has_address || forbidden || self.is_gone {
            return;
        }
        self.out.push(Segment {
            source: self.local,
            destination: self.remote(),
            carrier,
            rst: false,
            options,
            octets,
        });
        if self.machine.budget().is_some() {
            self.tell_machine(0, PeerEvent::Sent { octets });
        }
    }

    /// Sends as much as TCP would after a restart.
    fn burst(&mut self) {
        for _ in 0..WINDOW {
            self.send(Carrier::Other, Vec::new(), SEGMENT);
        }
    }

    /// Tells the mover's machine, and does what it says.
    fn tell_flow(&mut self, now: u64, event: Event) {
        let mut event = Some(event);
        while let (Some(next), Some(flow)) = (event.take(), self.flow.as_mut()) {
            for action in flow.handle(Instant::from_millis(now), &self.settings, next) {
                match action {
                    Action::Rebind { local } => {
                        self.local.address = local;
                        self.has_address = true;
                        event = Some(Event::Rebound);
                    }
                    Action::SendSecureUpdate {
                        epoch,
                        retransmission,
                        syn,
                    } => self.send_update(epoch, retransmission, syn),
                    Action::RestartPath => self.burst(),
                    Action::Count(what) => self.counts.push(what),
                    Action::Forget => {
                        let failed = self.state() == State::Failed;
                        self.flow = self.flow.filter(|_| failed);
                    }
                    Action::SendUpdate { .. } | Action::SolicitAck => {
                        panic!("of the other profile")
                    }
                    Action::Park
                    | Action::Hold
                    | Action::Unpark
                    | Action::Abort
                    | Action::IgnoreSegment => {}
                }
            }
        }
    }

    fn send_update(&mut self, epoch: Epoch, retransmission: bool, syn: bool) {
        let ends = Ends {
            source: self.local,
            destination: self.remote(),
        };
        let session = self.session.as_mut().expect("of the profile");
        let update = session.update(&Sha256, epoch, retransmission, &ends);
        let carrier = if syn {
            Carrier::Syn
        } else {
            Carrier::OptionOnly
        };
        self.send_option(carrier, &Secure::Update(update));
    }

    /// The UPDATE it would send from anywhere.
    pub fn forge(&mut self, source: Endpoint) -> Segment {
        let ends = Ends {
            source,
            destination: self.remote(),
        };
        let epoch = self.last_epoch().next().expect("another");
        let session = self.session.as_mut().expect("of the profile");
        let update = session.update(&Sha256, epoch, true, &ends);
        Segment {
            source,
            destination: ends.destination,
            carrier: Carrier::OptionOnly,
            rst: false,
            options: octets_of(&Secure::Update(update)),
            octets: 80,
        }
    }

    /// Tells the correspondent's machine, and does what it says.
    fn tell_machine(&mut self, now: u64, event: PeerEvent) {
        let mut event = Some(event);
        while let (Some(next), Some(session)) = (event.take(), self.session.as_mut()) {
            let (now, before) = (Instant::from_millis(now), self.machine.remote());
            let told = self
                .machine
                .handle(now, &self.settings, session, &Sha256, next);
            let actions = match told {
                Ok(actions) => actions,
                Err(reject) => return self.rejects.push(reject),
            };
            if self.machine.remote() != before {
                self.left.push(before);
            }
            for action in actions {
                match action {
                    PeerAction::Rebind { .. } | PeerAction::ReturnTo { .. } => {
                        event = Some(PeerEvent::Rebound);
                    }
                    PeerAction::SendConfirm {
                        epoch,
                        challenge,
                        syn,
                        ..
                    } => {
                        let session = self.session.as_ref().expect("of the profile");
                        let confirm = session.confirm(&Sha256, epoch, challenge);
                        let carrier = syn.map_or(Carrier::OptionOnly, |_| Carrier::SynAck);
                        self.send_option(carrier, &Secure::Confirm(confirm));
                    }
                    PeerAction::RestartPath | PeerAction::LiftBudget => self.burst(),
                    PeerAction::Budget(_) => {}
                    PeerAction::Count(what) => self.counts.push(what),
                }
            }
        }
    }

    fn random(&mut self) -> [u8; 8] {
        self.chance.next().to_be_bytes()
    }
}

/// The octets of an option.
fn octets_of(option: &Secure) -> Vec<u8> {
    let mut octets = [0; SPACE];
    let len = option.emit(&mut octets);
    octets[..len].to_vec()
}
