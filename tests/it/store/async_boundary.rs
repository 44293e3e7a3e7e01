//! The store's one async boundary under actix: many requests share few connections, and a full pool is a 503.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, web};
use domain::throttling::{ApplicationPolicy, defaults};
use domain::{Failure, Organization, PolicyId};
use http::problem::Problem;
use store::apim::policies;
use store::{Apim, ApimDb, Database, OpenOptions, Timeouts, migrate};

use crate::support::database::Databases;
use crate::support::rest::{Answer, client};
use crate::support::{DatabaseKind, eventually};

const REQUESTS: usize = 200;

struct Fixture {
    db: ApimDb,
    url: String,
    _folder: tempfile::TempDir,
    _databases: Option<Databases>,
    /// While set, the handler `hold` keeps its connection.
    is_holding: Arc<AtomicBool>,
}

async fn insert(db: Data<ApimDb>, name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let mut policy = template();
    policy.id = PolicyId::random();
    policy.name = name.into_inner();
    let outcome: Result<(), Failure> = db.write(move |conn| Ok(policies::insert(conn, &policy)?)).await;
    outcome?;
    Ok(HttpResponse::Created().finish())
}

async fn count(db: Data<ApimDb>) -> Result<String, Problem> {
    let all: Result<Vec<ApplicationPolicy>, Failure> = db.read(|conn| Ok(policies::list(conn, None)?)).await;
    Ok(all?.len().to_string())
}

async fn hold(db: Data<ApimDb>, is_holding: Data<AtomicBool>) -> Result<HttpResponse, Problem> {
    let is_holding = is_holding.into_inner();
    let outcome: Result<(), Failure> = db
        .read(move |_| {
            while is_holding.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            Ok(())
        })
        .await;
    outcome?;
    Ok(HttpResponse::Ok().finish())
}

fn template() -> ApplicationPolicy {
    defaults::application_policies(&Organization::super_tenant()).remove(0)
}

fn start(kind: DatabaseKind, pool_size: u32, acquire_timeout: Duration) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let (_, databases) = Databases::create(kind);
    let url = match &databases {
        Some(databases) => databases.first_url(),
        None => format!("sqlite:{}", folder.path().join("apim.db").display()),
    };
    migrate::run::<Apim>(&url).unwrap();
    let options = OpenOptions { url, pool_size, acquire_timeout, timeouts: Timeouts::default() };
    let db: ApimDb = Database::open(&options, &tokio::runtime::Handle::current()).unwrap();
    let is_holding = Arc::new(AtomicBool::new(false));
    let (data, flag) = (Data::new(db.clone()), Data::from(Arc::clone(&is_holding)));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(data.clone())
                    .app_data(flag.clone())
                    .route("/policies", web::get().to(count))
                    .route("/policies/{name}", web::post().to(insert))
                    .route("/hold", web::get().to(hold))
            };
            HttpServer::new(app).workers(2).disable_signals().listen(listener).unwrap().run().await.unwrap();
        });
    });
    Fixture { db, url, _folder: folder, _databases: databases, is_holding }
}

async fn parallel_requests_share_the_pool(kind: DatabaseKind) {
    let fixture = start(kind, 4, Duration::from_secs(30));
    let tasks: Vec<_> = (0..REQUESTS)
        .map(|number| {
            let url = fixture.url.clone();
            tokio::spawn(async move {
                Answer::of(client().post(format!("{url}/policies/policy{number}"))).await.expect(201);
                Answer::of(client().get(format!("{url}/policies"))).await.expect(200);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(Answer::of(client().get(format!("{}/policies", fixture.url))).await.text, REQUESTS.to_string());
    assert_eq!(fixture.db.usage().map(|(used, _)| used), [0, 0], "a connection was not given back");
}

async fn a_full_pool_is_a_503_that_says_when_to_come_back(kind: DatabaseKind) {
    let fixture = start(kind, 1, Duration::from_millis(100));
    fixture.is_holding.store(true, Ordering::Relaxed);
    let holder = tokio::spawn(Answer::of(client().get(format!("{}/hold", fixture.url))));
    eventually("the only reader is taken", async || (fixture.db.usage()[0].0 == 1).then_some(())).await;
    let refused = Answer::of(client().get(format!("{}/policies", fixture.url))).await.expect(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    fixture.is_holding.store(false, Ordering::Relaxed);
    holder.await.unwrap().expect(200);
    Answer::of(client().get(format!("{}/policies", fixture.url))).await.expect(200);
}

crate::per_database! {
    parallel_requests_share_the_pool
    a_full_pool_is_a_503_that_says_when_to_come_back
}
