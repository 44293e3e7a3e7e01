//! Scope sets of the operations, as the contract declares them.

http::guard::required_scopes! {
    pub TierView = ["apim:admin", "apim:tier_view"];
    pub TierManage = ["apim:admin", "apim:tier_manage"];
    pub TenantManage = ["apim:admin"];
}
