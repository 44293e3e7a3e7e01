//! Scope sets of the operations, as the contract declares them.

http::guard::required_scopes! {
    pub ApiView = ["apim:api_view", "apim:api_manage", "apim:api_import_export", "apim:api_product_import_export"];
    pub ApiListView = ["apim:api_view", "apim:api_manage", "apim:api_import_export", "apim:api_list_view"];
    pub ApiDefinitionView = ["apim:api_view", "apim:api_manage", "apim:api_definition_view"];
    pub ApiCreate = ["apim:api_create", "apim:api_manage"];
    pub ApiUpdate = ["apim:api_create", "apim:api_manage", "apim:api_publish"];
    pub ApiDelete = ["apim:api_delete", "apim:api_manage", "apim:api_import_export"];
    pub LifecycleChange = ["apim:api_publish", "apim:api_manage", "apim:api_import_export"];
    pub LifecycleView = ["apim:api_view", "apim:api_publish", "apim:api_create", "apim:api_manage"];
    pub RevisionView = [
        "apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export",
    ];
    pub RevisionGet = ["apim:api_view", "apim:api_create", "apim:api_manage", "apim:api_publish"];
    pub LifecycleHistoryView = ["apim:api_view", "apim:api_publish", "apim:api_manage"];
    pub SubscriptionView = ["apim:api_view", "apim:subscription_view", "apim:subscription_manage"];
    pub SubscriptionBlock = ["apim:subscription_block", "apim:subscription_manage"];
    pub SharedScopeView = ["apim:api_view", "apim:shared_scope_manage"];
    pub SharedScopeManage = ["apim:shared_scope_manage"];
    pub SharedScopeCheck = ["apim:api_create", "apim:api_publish", "apim:api_manage", "apim:shared_scope_manage"];
    pub KeyManagerView = ["apim:api_view", "apim:api_create", "apim:api_manage"];
    pub ApiExport = [
        "apim:api_view", "apim:api_publish", "apim:api_create", "apim:api_import_export", "apim:api_manage",
    ];
    pub ApiImport = ["apim:api_import_export", "apim:admin"];
    pub RevisionCreate = ["apim:api_create", "apim:api_manage", "apim:api_publish", "apim:api_import_export"];
    pub RevisionDeploy = ["apim:api_create", "apim:api_manage", "apim:api_publish"];
    pub InternalKeyCreate = ["apim:api_generate_key", "apim:api_manage"];
    pub TierView = ["apim:api_view", "apim:tier_view", "apim:tier_manage"];
}
