//! The contract tests of the store port, over DynamoDB in an AWS emulator.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod emulator;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynamodb::Table;
use ports::{Key, Store, StoreError, Write};
use tokio::sync::OnceCell;

use crate::emulator::{config, unique};

fn attribute(name: &str) -> AttributeDefinition {
    let text = AttributeDefinition::builder().attribute_name(name);
    text.attribute_type(ScalarAttributeType::S).build().unwrap()
}

fn part(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

async fn create_table() -> String {
    let name = format!("tests-{}", unique());
    let index = GlobalSecondaryIndex::builder()
        .index_name("session")
        .key_schema(part("ipk", KeyType::Hash))
        .key_schema(part("isk", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    Client::new(&config())
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "ipk", "isk"].map(attribute).to_vec()))
        .key_schema(part("pk", KeyType::Hash))
        .key_schema(part("sk", KeyType::Range))
        .global_secondary_indexes(index.build().unwrap())
        .send()
        .await
        .unwrap();
    name
}

/// All tests share one table. Each has its own client, whose connections end with its runtime.
async fn fresh() -> Table {
    static TABLE: OnceCell<String> = OnceCell::const_new();
    let name = TABLE.get_or_init(create_table).await;
    Table::new(&config(), name.clone())
}

ports::store_contract_tests!(async { fresh().await });

#[tokio::test]
async fn missing_table_is_unavailable_and_never_empty() {
    let table = Table::new(&config(), "never-made".to_owned());
    let key = Key { pk: "a".to_owned(), sk: "b".to_owned() };
    assert!(matches!(table.read(&key).await, Err(StoreError::Unavailable(_))));
    let delete = || Write::Delete { key: key.clone() };
    assert!(matches!(table.write(vec![delete()]).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(table.write(vec![delete(), delete()]).await, Err(StoreError::Unavailable(_))));
}
