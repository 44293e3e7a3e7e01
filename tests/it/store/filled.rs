//! Migrations that carry over what a filled database has.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection, sql_query, sql_types};
use store::{Apim, migrate};

use crate::support::DatabaseKind;
use crate::support::database::{Databases, postgres_is_there};

#[derive(QueryableByName)]
struct Tagged {
    #[diesel(sql_type = sql_types::Text)]
    tagged: String,
}

/// Goes back before the migration and over it again, with APIs there.
macro_rules! carried_over {
    ($connection:expr, $back_end:literal) => {{
        let mut connection = $connection;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/apim/", $back_end, "/2026-11-25-002010_api_tags");
        let sql = |name: &str| std::fs::read_to_string(format!("{folder}/{name}.sql")).unwrap();
        connection.batch_execute(&sql("down")).unwrap();
        let documents = [r#"["Food","Food","hot",7]"#, r#""one""#, r#"["a\u0000b"]"#, "null"];
        for (number, tags) in documents.iter().enumerate() {
            let details = format!(r#"{{"other":{{"tags":{tags}}}}}"#);
            connection
                .batch_execute(&format!(
                    "INSERT INTO apis VALUES ('{number}', 'carbon.super', 'n{number}', '1', '/n{number}', '/n{number}/1', \
                     'admin', 'CREATED', FALSE, 'PUBLIC', NULL, '{details}', 0, 0, 'admin', 0, 'admin', 1)"
                ))
                .unwrap();
        }
        connection.batch_execute(&sql("up")).unwrap();
        let query = "SELECT api_id || ' ' || tag AS tagged FROM api_tags WHERE api_id <> '2' ORDER BY tagged";
        let found: Vec<Tagged> = sql_query(query).load(&mut connection).unwrap();
        let found: Vec<&str> = found.iter().map(|row| row.tagged.as_str()).collect();
        assert_eq!(found, ["0 Food", "0 hot"], $back_end);
    }};
}

#[test]
fn tags_of_older_apis_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db").display().to_string();
    migrate::run::<Apim>(&format!("sqlite:{path}")).unwrap();
    carried_over!(SqliteConnection::establish(&path).unwrap(), "sqlite");
    if postgres_is_there() {
        let (_, databases) = Databases::create(DatabaseKind::Postgres);
        let databases = databases.unwrap();
        migrate::run::<Apim>(&databases.first_url()).unwrap();
        carried_over!(PgConnection::establish(&databases.first_url()).unwrap(), "postgres");
    }
}
