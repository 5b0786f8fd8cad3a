/** PostgreSQL's own superuser, as on Aurora: nobody outside the runtime ever gets it. */
export const internalSuperuser = 'rdsadmin';

/** Every instance has this number; it only names its socket, for none listens on TCP. */
export const socketPort = 5432;

/** The socket's name inside the data directory. */
export const socketName = `.s.PGSQL.${socketPort}`;

/** Arguments of initdb. The builtin locale sorts the same on Linux and macOS. */
export const initdbArguments = [
  `--username=${internalSuperuser}`,
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--locale=C.UTF-8',
  '--auth=trust',
  '--no-instructions',
  '--no-sync',
  // In MiB: what is archived is copied segment by segment, and a shard of an example writes little.
  '--wal-segsize=1',
];

/** How long what was written may wait before its segment of the log is archived. A restore does not wait for it. */
const archiveTimeout = '60s';

/** A recovery from an archive. */
export interface Recovery {
  /** Directory of the archived log. */
  log: string;
  /** The last transactions that count were committed by then; undefined: all that are in the log count. */
  time: Date | undefined;
}

export interface InstanceSettings {
  instance: string;
  forceSsl: boolean;
  extensionControlPath: string;
  /** Set for a standby: the directory with the primary's socket. */
  primarySocketDirectory: string | undefined;
  /** Where the archiver copies the log to; undefined: nothing is archived. */
  archiveDirectory?: string | undefined;
  /** Set while a server brings a base backup to a point in time. */
  recovery?: Recovery | undefined;
  /** Whether a commit waits for a standby; default false. */
  synchronous?: boolean | undefined;
}

/** `postgresql.conf`, written anew at every start. */
export function serverConfiguration(settings: InstanceSettings): string {
  const values: Record<string, string | number> = {
    cluster_name: settings.instance,
    // The endpoint proxy is the only way in: it does TLS and authentication, and asks for nothing here.
    listen_addresses: '',
    port: socketPort,
    unix_socket_directories: '.',
    unix_socket_permissions: '0700',
    max_connections: 100,
    shared_buffers: '64MB',
    huge_pages: 'off',
    // Files in the data directory: nothing stays in /dev/shm when everything is killed.
    dynamic_shared_memory_type: 'mmap',
    io_method: 'sync',
    jit: 'off',
    // Killed processes lose nothing without fsync; only a crash of the machine can, and its data are examples.
    fsync: 'off',
    wal_level: 'logical',
    max_wal_size: '512MB',
    wal_keep_size: '512MB',
    checkpoint_timeout: '15min',
    max_wal_senders: 10,
    max_replication_slots: 10,
    hot_standby_feedback: 'on',
    wal_receiver_status_interval: '1s',
    wal_retrieve_retry_interval: '200ms',
    recovery_target_timeline: 'latest',
    password_encryption: 'scram-sha-256',
    shared_preload_libraries: 'pg_stat_statements',
    extension_control_path: settings.extensionControlPath,
    log_line_prefix: '%m [%p] %q%u@%d ',
    log_checkpoints: 'off',
    log_min_duration_statement: '1s',
    log_timezone: 'UTC',
    timezone: 'UTC',
    'rds.force_ssl': settings.forceSsl ? 'on' : 'off',
  };
  if (settings.archiveDirectory !== undefined) {
    values.archive_mode = 'on';
    values.archive_library = 'basic_archive';
    values['basic_archive.archive_directory'] = settings.archiveDirectory;
    values.archive_timeout = archiveTimeout;
  }
  if (settings.synchronous === true) values.synchronous_standby_names = 'ANY 1 (*)';
  if (settings.recovery !== undefined) {
    const file = `${shellWord(settings.recovery.log)}/%f`;
    values.restore_command = `test -f ${file} && cp ${file} %p`;
    values.recovery_target_action = 'promote';
    if (settings.recovery.time !== undefined)
      values.recovery_target_time = settings.recovery.time
        .toISOString()
        .replace('T', ' ')
        .replace('Z', '+00');
  }
  if (settings.primarySocketDirectory !== undefined) {
    const conninfo = {
      host: settings.primarySocketDirectory,
      port: socketPort,
      user: internalSuperuser,
      application_name: settings.instance,
    };
    values.primary_conninfo = Object.entries(conninfo)
      .map(([name, value]) => `${name}='${String(value).replace(/['\\]/g, '\\$&')}'`)
      .join(' ');
  }
  return Object.entries(values)
    .map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`)
    .join('');
}

/** PostgreSQL gives a percent sign in a command a meaning of its own. */
function shellWord(path: string): string {
  return `'${path.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`;
}

/**
 * `pg_hba.conf`. Only the runtime gets to the socket, which is in a directory of mode 0700; whoever
 * comes through the endpoint proxy has been authenticated there.
 */
export const accessConfiguration = 'local all all trust\nlocal replication all trust\n';
