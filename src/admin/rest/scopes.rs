//! Scope sets of the operations, as the contract declares them.

http::guard::required_scopes! {
    pub TierView = ["apim:admin", "apim:tier_view"];
    pub TierManage = ["apim:admin", "apim:tier_manage"];
    pub PolicyTransfer = ["apim:admin", "apim:tier_manage", "apim:policies_import_export"];
    pub DenyView = ["apim:admin", "apim:bl_view"];
    pub DenyManage = ["apim:admin", "apim:bl_manage"];
    pub TenantManage = ["apim:admin"];
    pub ApplicationView = ["apim:admin", "apim:app_owner_change", "apim:app_import_export"];
    pub ApplicationOwnerChange = ["apim:admin", "apim:app_owner_change"];
    pub ApplicationDelete = ["apim:admin", "apim:app_import_export"];
    pub EnvironmentRead = ["apim:admin", "apim:environment_read"];
    pub TenantInfo = ["apim:admin", "apim:tenantInfo"];
}
