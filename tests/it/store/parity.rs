//! Both back ends have the same tables with the same columns.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::{PgConnection, SqliteConnection, sql_query, sql_types};
use store::{Apim, Shared, migrate};

use crate::support::DatabaseKind;
use crate::support::database::{Databases, postgres_is_there};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = sql_types::Text)]
    column_name: String,
    #[diesel(sql_type = sql_types::Bool)]
    is_required: bool,
}

type Tables = BTreeMap<(String, String), bool>;

fn tables(columns: Vec<Column>) -> Tables {
    let columns = columns.into_iter().filter(|column| column.table_name != "__diesel_schema_migrations");
    columns.map(|column| ((column.table_name, column.column_name), column.is_required)).collect()
}

fn sqlite(path: &str) -> Tables {
    let mut connection = SqliteConnection::establish(path).unwrap();
    let query = "SELECT m.name AS table_name, c.name AS column_name, c.\"notnull\" AS is_required \
                 FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
    tables(sql_query(query).load(&mut connection).unwrap())
}

fn postgres(url: &str) -> Tables {
    let mut connection = PgConnection::establish(url).unwrap();
    let query = "SELECT table_name::text, column_name::text, is_nullable = 'NO' AS is_required \
                 FROM information_schema.columns WHERE table_schema = 'public'";
    tables(sql_query(query).load(&mut connection).unwrap())
}

fn compare<K: migrate::Migrated>() {
    if !postgres_is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db").display().to_string();
    let (_, databases) = Databases::create(DatabaseKind::Postgres);
    let url = databases.unwrap();
    migrate::run::<K>(&format!("sqlite:{path}")).unwrap();
    migrate::run::<K>(&url.first_url()).unwrap();
    assert_eq!(sqlite(&path), postgres(&url.first_url()));
    assert!(migrate::run::<K>(&url.first_url()).unwrap().is_empty(), "a second run has nothing to do");
}

#[test]
fn apim_db_has_the_same_columns_on_both_back_ends() {
    compare::<Apim>();
}

#[test]
fn shared_db_has_the_same_columns_on_both_back_ends() {
    compare::<Shared>();
}
