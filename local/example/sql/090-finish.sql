-- Who may do what, and the mark that the data are there.

GRANT USAGE ON SCHEMA platform, content, activity, billing TO platform_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA platform, content, activity TO platform_app;
GRANT SELECT ON ALL TABLES IN SCHEMA billing TO platform_app;
GRANT UPDATE (paid_at) ON billing.invoices TO platform_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA platform, activity TO platform_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA content GRANT SELECT ON TABLES TO platform_app;
REVOKE EXECUTE ON PROCEDURE content.archive FROM PUBLIC;

CREATE VIEW platform.active_users AS
  SELECT t.slug, u.id, u.full_name, u.initials FROM platform.users u JOIN platform.tenants t ON t.id = u.tenant_id
  WHERE u.deleted_at IS NULL;
COMMENT ON VIEW platform.active_users IS 'Users who have not been deleted.';
COMMENT ON COLUMN platform.users.session_length IS 'How long a session lasts without being used.';
COMMENT ON CONSTRAINT one_at_a_time ON billing.subscriptions IS 'A tenant has one plan at a time.';
COMMENT ON FUNCTION content.count_of IS 'Contents of a tenant in a state.';

CREATE TABLE platform.example_data (shard text PRIMARY KEY, version integer NOT NULL);
COMMENT ON TABLE platform.example_data IS 'These are the example data of the local runtime.';
INSERT INTO platform.example_data VALUES (current_setting('example.shard'), 1);

RESET ROLE;
