-- Who owns and uses the platform's data. Run as the master user, who owns neither tables nor rows.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Roles belong to the whole cluster: another of its databases may have them already.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['platform_owner', 'platform_app'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I', role_name);
    END IF;
  END LOOP;
  EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO platform_owner', current_database());
END $$;

-- Owns every object; migrations run as this role. The master user may become it.
GRANT platform_owner TO CURRENT_USER WITH SET TRUE, INHERIT FALSE;

-- The platform's services log in as this role, with IAM tokens.
ALTER ROLE platform_app LOGIN;
GRANT rds_iam TO platform_app;

SET LOCAL ROLE platform_owner;
