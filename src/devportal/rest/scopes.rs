//! Scope sets of the operations, as the contract declares them.

http::guard::required_scopes! {
    pub ApplicationView = ["apim:subscribe", "apim:app_manage", "apim:app_import_export"];
    pub ApplicationManage = ["apim:subscribe", "apim:app_manage"];
    pub Subscribe = ["apim:subscribe"];
    pub ApiKeyManage = ["apim:subscribe", "apim:app_manage", "apim:api_key"];
    pub SubscriptionManage = ["apim:subscribe", "apim:sub_manage"];
}
