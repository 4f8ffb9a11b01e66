//! hot path
//!
//! The life of a request, in one function: find the route, run the request phases, forward, run
//! the response phases in reverse, send the response. A retry is a turn of its loop.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::exchange::{
    Connection, Exchange, Failure, FailureKind, Flow, Memo, Phases, Record, Request, Response,
    Stage,
};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use routing::{
    Asking, Failover, LoadBalancer, Mirroring, Next, Route, RouterIndex, Service, ServiceKind,
    Snapshot,
};

use crate::http::client_side::ClientSide;
use crate::http::forward::{Origin, forward};
use crate::http::track;
use crate::http::turn::{self, Turn};
use crate::settings::EntryPointSettings;
use crate::worker::Worker;

/// Tries after which an exchange ends, whatever its middlewares say.
const TRIES_MAX: u32 = 1000;

/// Where the exchange stands in the tree of routers and services.
#[derive(Clone, Copy)]
pub(crate) enum Place<'s> {
    Route(&'s Route),
    Service(&'s Service),
}

/// The stages that the exchange goes through, and what each keeps.
#[derive(Default)]
struct Course<'s> {
    stages: Vec<(&'s Stage, Memo)>,
    /// For every router or service with stages: itself, and how many stages there are up to it.
    legs: Vec<(Place<'s>, usize)>,
    /// Cookies that services on the way want set.
    cookies: Vec<HeaderValue>,
    /// Services on the way that look at the answer.
    turns: Vec<Turn<'s>>,
}

impl<'s> Course<'s> {
    fn enter(&mut self, place: Place<'s>) {
        let stages = match place {
            Place::Route(route) => &route.stages,
            Place::Service(service) => &service.stages,
        };
        if stages.is_empty() {
            return;
        }
        self.stages.extend(stages.iter().map(|stage| (stage, None)));
        self.legs.push((place, self.stages.len()));
    }

    /// Goes back to the leg of stage `stage`, whose later stages stay and start anew.
    fn back_to(&mut self, stage: usize) -> Option<Place<'s>> {
        let leg = self.legs.iter().position(|(_, end)| stage < *end)?;
        let (place, end) = self.legs[leg];
        self.legs.truncate(leg + 1);
        self.stages.truncate(end);
        for (_, memo) in self.stages.iter_mut().skip(stage + 1) {
            *memo = None;
        }
        self.cookies.clear();
        Some(place)
    }

    /// Goes to another service from where there were so many stages on the way.
    fn turn_to(&mut self, service: &'s Service, depth: usize) -> Place<'s> {
        self.stages.truncate(depth);
        self.legs.retain(|(_, end)| *end <= depth);
        let place = Place::Service(service);
        self.enter(place);
        place
    }
}

/// On whose behalf requests go through routers and services.
#[derive(Clone, Copy)]
pub(crate) struct Traveller<'a> {
    /// The client that waits for the response; `None` for requests of Ferrovia's own making.
    pub(crate) client: Option<ClientSide<'a>>,
    /// How `X-Forwarded-For` is written; `None`: not at all.
    pub(crate) settings: Option<&'a Arc<EntryPointSettings>>,
}

/// What the answer made of the way out.
enum Again<'s> {
    /// A middleware tries again from its stage on.
    Try { stage: usize, after: Duration },
    /// A service hands the request to another.
    Turn(&'s Service),
}

/// Finds out how a request is answered. What the snapshot says at its start holds to its end.
pub(crate) async fn run(
    worker: &Rc<Worker>,
    client: ClientSide<'_>,
    settings: &Arc<EntryPointSettings>,
    connection: &Rc<Connection>,
    request: Request,
    snapshot: &Snapshot,
) -> Exchange {
    let mut exchange = begin(worker, connection, request);
    let Some(route) = find_route(snapshot, settings, &exchange) else {
        exchange.response = not_found();
        return exchange;
    };
    exchange.record.router = Some(Arc::clone(&route.name));
    if let Some(refused) = refuse(route, &exchange) {
        exchange.response = refused;
        return exchange;
    }
    let traveller = Traveller { client: Some(client), settings: Some(settings) };
    travel(worker, traveller, &mut exchange, Place::Route(route)).await;
    exchange
}

/// Begins an exchange.
pub(crate) fn begin(worker: &Worker, connection: &Rc<Connection>, request: Request) -> Exchange {
    Exchange {
        connection: Rc::clone(connection),
        request,
        response: Response::default(),
        failure: None,
        upstreams: worker.upstreams(),
        started: worker.clock.now(),
        record: Record::default(),
    }
}

/// Takes an exchange from a place through everything that comes after, and back.
pub(crate) async fn travel(
    worker: &Rc<Worker>,
    traveller: Traveller<'_>,
    exchange: &mut Exchange,
    start: Place<'_>,
) {
    let Traveller { client, settings } = traveller;
    let mut course = Course::default();
    let mut place = start;
    course.enter(place);
    let mut passed = 0;
    let mut failed_server = None;
    let mut tries = 0;
    loop {
        tries += 1;
        // The way in.
        let answer = loop {
            if passed < course.stages.len() {
                let (stage, memo) = &mut course.stages[passed];
                match request_phase(stage, exchange, memo).await {
                    Flow::Continue | Flow::Retry { .. } => passed += 1,
                    Flow::Respond(response) => {
                        exchange.record.answered_by = Some(Arc::clone(stage.name()));
                        break *response;
                    }
                }
                continue;
            }
            match step(worker, place, exchange, &mut course) {
                Step::To(next) => {
                    place = next;
                    course.enter(place);
                }
                Step::Forward(service, balancer) => {
                    exchange.record.service = Some(Arc::clone(&service.name));
                    let origin = Origin {
                        connection: &exchange.connection,
                        client,
                        forwarded: settings.map(|settings| &settings.forwarded),
                    };
                    let picked = Picked { balancer, avoid: &mut failed_server };
                    let request = &mut exchange.request;
                    let cookies = &mut course.cookies;
                    let record = &mut exchange.record;
                    let answered =
                        to_server(worker, &origin, picked, request, record, cookies).await;
                    break match answered {
                        Ok(response) => response,
                        Err(failure) => {
                            let response = failure_response(&failure);
                            exchange.failure = Some(failure);
                            response
                        }
                    };
                }
                Step::Inside(service, internal) => {
                    exchange.record.service = Some(Arc::clone(&service.name));
                    break internal.respond(exchange).await;
                }
                Step::Failover(failover) => {
                    let (depth, cookies) = (course.stages.len(), &course.cookies);
                    // In boxes, so that they do not make every exchange larger.
                    let entering = turn::enter_failover(worker, failover, exchange, depth, cookies);
                    match Box::pin(entering).await {
                        Ok((next, turn)) => {
                            course.turns.extend(turn);
                            place = Place::Service(next);
                            course.enter(place);
                        }
                        Err(response) => break *response,
                    }
                }
                Step::Mirroring(mirroring) => {
                    let depth = course.stages.len();
                    match Box::pin(turn::enter_mirroring(mirroring, exchange, depth)).await {
                        Ok(turn) => {
                            course.turns.extend(turn);
                            place = Place::Service(&mirroring.service);
                            course.enter(place);
                        }
                        Err(response) => break *response,
                    }
                }
                Step::Answer(response) => break *response,
            }
        };
        exchange.response = answer;
        set_cookies(&mut exchange.response, &mut course.cookies);

        // The way out.
        let again = loop {
            let turn = course.turns.pop_if(|turn| turn.depth == passed);
            if let Some(turn) = turn {
                match turn.on_answer(worker, traveller, exchange, &mut course.cookies) {
                    Some(service) => break Some(Again::Turn(service)),
                    None => continue,
                }
            }
            if passed == 0 {
                break None;
            }
            passed -= 1;
            let (stage, memo) = &mut course.stages[passed];
            match response_phase(stage, exchange, memo).await {
                Flow::Continue => {}
                Flow::Respond(response) => exchange.response = *response,
                Flow::Retry { after } if tries < TRIES_MAX => {
                    break Some(Again::Try { stage: passed, after });
                }
                Flow::Retry { .. } => {}
            }
        };
        let (stage, after) = match again {
            None => return,
            Some(Again::Try { stage, after }) => (stage, after),
            Some(Again::Turn(service)) => {
                place = course.turn_to(service, passed);
                continue;
            }
        };
        let Some(leg) = course.back_to(stage) else { return };
        place = leg;
        passed = stage + 1;
        exchange.failure = None;
        exchange.record.retries = tries;
        // The server's connection is not held up while another is asked.
        exchange.response = Response::default();
        if after > Duration::ZERO {
            let wait = tokio::time::sleep(after);
            let is_gone = match client {
                Some(client) => client.unless_gone(wait).await.is_none(),
                None => {
                    wait.await;
                    false
                }
            };
            if is_gone {
                exchange.failure = Some(Failure::before_sending(FailureKind::ClientGone));
                return;
            }
        }
    }
}

fn find_route<'s>(
    snapshot: &'s Snapshot,
    settings: &EntryPointSettings,
    exchange: &Exchange,
) -> Option<&'s Route> {
    let routes = snapshot.entry_points.get(&settings.name)?;
    let index: &'s RouterIndex =
        if exchange.connection.is_tls() { &routes.secure } else { &routes.plain };
    index.find(&exchange.request, &exchange.connection).map(|route| &**route)
}

/// Refuses what was routed but must not be served: a host whose TLS options are not those of the
/// handshake (RFC 9110, 15.5.20), and characters the entry point denies.
fn refuse(route: &Route, exchange: &Exchange) -> Option<Response> {
    if route.denied_characters.is_in(exchange.request.path()) {
        return Some(Response::new(StatusCode::BAD_REQUEST));
    }
    let tls = exchange.connection.tls.as_ref()?;
    let wanted = route.tls_options.as_ref()?;
    (*wanted != tls.options).then(|| {
        let status = StatusCode::MISDIRECTED_REQUEST;
        Response::error(status, ::exchange::status_text(status))
    })
}

/// What comes after the stages of a place.
enum Step<'s> {
    To(Place<'s>),
    Forward(&'s Service, &'s LoadBalancer),
    Inside(&'s Service, &'s dyn ::exchange::InternalService),
    Failover(&'s Failover),
    Mirroring(&'s Mirroring),
    Answer(Box<Response>),
}

fn step<'s>(
    worker: &Worker,
    place: Place<'s>,
    exchange: &Exchange,
    course: &mut Course<'s>,
) -> Step<'s> {
    let service: &'s Service = match place {
        Place::Route(route) => match &route.next {
            Next::Children(index) => {
                return match index.find(&exchange.request, &exchange.connection) {
                    Some(child) => Step::To(Place::Route(child)),
                    None => Step::Answer(Box::new(not_found())),
                };
            }
            Next::Service(service) => return Step::To(Place::Service(service)),
        },
        Place::Service(service) => service,
    };
    match &service.kind {
        ServiceKind::LoadBalancer(balancer) => Step::Forward(service, balancer),
        ServiceKind::Internal(internal) => Step::Inside(service, &**internal),
        ServiceKind::Weighted(weighted) => {
            match weighted.pick(asking(worker, &exchange.connection, &exchange.request)) {
                Some(pick) => {
                    course.cookies.extend(pick.set_cookie);
                    Step::To(Place::Service(pick.picked))
                }
                None => Step::Answer(Box::new(no_server())),
            }
        }
        ServiceKind::HighestRandomWeight(hashed) => {
            match hashed.pick(asking(worker, &exchange.connection, &exchange.request)) {
                Some(service) => Step::To(Place::Service(service)),
                None => Step::Answer(Box::new(no_server())),
            }
        }
        ServiceKind::Mirroring(mirroring) => Step::Mirroring(mirroring),
        ServiceKind::Failover(failover) => Step::Failover(failover),
    }
}

fn asking<'a>(worker: &Worker, connection: &'a Connection, request: &'a Request) -> Asking<'a> {
    let client = connection.peer_ip.as_bytes();
    Asking { headers: &request.headers, client, now: worker.clock.moment() }
}

/// What is picked from, and the server that the last try failed on.
struct Picked<'a> {
    balancer: &'a LoadBalancer,
    avoid: &'a mut Option<u64>,
}

async fn to_server(
    worker: &Worker,
    origin: &Origin<'_>,
    picked: Picked<'_>,
    request: &mut Request,
    record: &mut Record,
    cookies: &mut Vec<HeaderValue>,
) -> Result<Response, Failure> {
    let Picked { balancer, avoid } = picked;
    let asking = asking(worker, origin.connection, request);
    let Some(pick) = balancer.pick(asking, *avoid) else {
        return Err(Failure::before_sending(FailureKind::NoServer));
    };
    let server = pick.picked;
    record.server = Some(Arc::clone(&server.url));
    *avoid = Some(server.id);
    let tracked = track::is_needed(balancer).then(|| track::Tracked::begin(balancer, &pick));
    cookies.extend(pick.set_cookie);
    let result = forward(worker, origin, balancer, server, request).await;
    match tracked {
        None => result,
        Some(tracked) => tracked.end(result, &worker.clock),
    }
}

async fn request_phase(stage: &Stage, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
    match stage {
        Stage::Sync { middleware, .. } => match middleware.phases() {
            Phases::Response => Flow::Continue,
            Phases::Request | Phases::Both => middleware.on_request(exchange, memo),
        },
        Stage::Async { middleware, .. } => match middleware.phases() {
            Phases::Response => Flow::Continue,
            Phases::Request | Phases::Both => middleware.on_request(exchange, memo).await,
        },
    }
}

async fn response_phase(stage: &Stage, exchange: &mut Exchange, memo: &mut Memo) -> Flow {
    match stage {
        Stage::Sync { middleware, .. } => match middleware.phases() {
            Phases::Request => Flow::Continue,
            Phases::Response | Phases::Both => middleware.on_response(exchange, memo),
        },
        Stage::Async { middleware, .. } => match middleware.phases() {
            Phases::Request => Flow::Continue,
            Phases::Response | Phases::Both => middleware.on_response(exchange, memo).await,
        },
    }
}

/// Puts the services' cookies before the server's own, where Traefik has them.
fn set_cookies(response: &mut Response, cookies: &mut Vec<HeaderValue>) {
    if cookies.is_empty() {
        return;
    }
    let later: Vec<HeaderValue> = response.headers.get_all(SET_COOKIE).iter().cloned().collect();
    response.headers.remove(SET_COOKIE);
    for cookie in cookies.drain(..).chain(later) {
        response.headers.append(SET_COOKIE, cookie);
    }
}

/// The answer to a request that could not be forwarded.
pub(crate) fn failure_response(failure: &Failure) -> Response {
    if failure.kind == FailureKind::NoServer {
        return no_server();
    }
    Response::status_only(failure.status())
}

fn no_server() -> Response {
    Response::error(StatusCode::SERVICE_UNAVAILABLE, "no available server")
}

fn not_found() -> Response {
    Response::error(StatusCode::NOT_FOUND, "404 page not found")
}
