"""The tables, triggers and functions of a journal on Postgres, all in the schema `riskcore`.

Events are append-only in two ways. Triggers refuse every change, deletion and truncation, and every insert that does
not continue its stream. Rights: nobody, the owner included, has the right to change or delete events, and
`riskcore.append` is the only way in for any other role: it runs with the owner's rights and checks the lease first.
Whoever may alter the schema (the owner, a superuser) can undo both; `check_storage` then tells, and the chain of hashes
shows what was edited.

The lease and the rows are one statement, so that a step costs one round trip and one flush to disk.
"""

SCHEMA = "riskcore"
TABLES = ("streams", "events", "stored_events", "leases", "state_cache", "archived")

_NEVER_CHANGED = """
BEGIN
    RAISE EXCEPTION '% are never changed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
"""
# With the primary key: whatever is added hangs on the event before it and leaves no gap.
_IN_ORDER = """
BEGIN
    IF EXISTS (
        SELECT 1 FROM added GROUP BY stream
        HAVING max(seq) - min(seq) + 1 <> count(*) OR min(seq) < 1 OR (min(seq) > 1 AND NOT EXISTS (
            SELECT 1 FROM riskcore.events before WHERE before.stream = added.stream AND before.seq = min(added.seq) - 1
        ))
    ) THEN
        RAISE EXCEPTION 'not the next event of its stream' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
"""
# The lock is shared by the writers and taken alone by whoever takes the lease: between the look at the lease and the
# end of the transaction no newer lease can slip in. A lease that was lost is answered with its new holder.
_APPEND = """
DECLARE
    found_fence bigint;
    found_holder text;
    number integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1919905643, hashtext(for_profile));
    SELECT fence, holder INTO found_fence, found_holder FROM riskcore.leases WHERE profile = for_profile;
    IF found_fence IS DISTINCT FROM held_fence THEN
        RETURN coalesce(nullif(found_holder, ''), 'nobody');
    END IF;
    IF renew THEN
        UPDATE riskcore.leases SET renewed_at = clock_timestamp() WHERE profile = for_profile;
    END IF;
    SELECT streams.number INTO number FROM riskcore.streams WHERE originator_id = into_stream;
    IF NOT FOUND THEN
        INSERT INTO riskcore.streams (originator_id) VALUES (into_stream) RETURNING streams.number INTO number;
    END IF;
    INSERT INTO riskcore.events (stream, seq, topic, state, payload)
        SELECT number, first_seq - 1 + added.place, added.topic, added.state, added.payload
        FROM unnest(topics, states, payloads) WITH ORDINALITY AS added (topic, state, payload, place);
    RETURN NULL;
END
"""
APPEND_ARGUMENTS = (
    "for_profile text, held_fence bigint, renew boolean, into_stream text, first_seq bigint, topics text[], "
    "states bytea[], payloads bytea[]"
)
# Name, arguments, result, source.
FUNCTIONS = (
    ("refuse_change", "", "trigger", _NEVER_CHANGED),
    ("refuse_gaps", "", "trigger", _IN_ORDER),
    ("append", APPEND_ARGUMENTS, "text", _APPEND),
)
# Table, column, type; in their order.
COLUMNS = (
    ("archived", "stream", "text"),
    ("archived", "events", "bigint"),
    ("archived", "last_hash", "bytea"),
    ("archived", "last_link", "bytea"),
    ("archived", "file", "text"),
    ("archived", "sha256", "text"),
    ("events", "stream", "integer"),
    ("events", "seq", "bigint"),
    ("events", "topic", "text"),
    ("events", "state", "bytea"),
    ("events", "payload", "bytea"),
    ("leases", "profile", "text"),
    ("leases", "fence", "bigint"),
    ("leases", "holder", "text"),
    ("leases", "token", "text"),
    ("leases", "renewed_at", "timestamp with time zone"),
    ("state_cache", "stream", "text"),
    ("state_cache", "seq", "bigint"),
    ("state_cache", "fingerprint", "text"),
    ("state_cache", "seal", "bytea"),
    ("state_cache", "state", "bytea"),
    ("stored_events", "originator_id", "text"),
    ("stored_events", "originator_version", "bigint"),
    ("stored_events", "topic", "text"),
    ("stored_events", "state", "bytea"),
    ("streams", "number", "integer"),
    ("streams", "originator_id", "text"),
)
COLUMN_NAMES = tuple((table, column) for table, column, _ in COLUMNS)
_MAY_BE_NULL = ("payload",)
_KEYS = {
    "archived": "stream",
    "events": "stream, seq",
    "leases": "profile",
    "state_cache": "stream",
    "streams": "number",
}
# Table, name, what sets it off, function.
TRIGGERS = (
    ("archived", "never_changed", "BEFORE UPDATE OR DELETE OR TRUNCATE ON riskcore.archived", "refuse_change"),
    ("events", "in_order", "AFTER INSERT ON riskcore.events REFERENCING NEW TABLE AS added", "refuse_gaps"),
    ("events", "never_changed", "BEFORE UPDATE OR DELETE OR TRUNCATE ON riskcore.events", "refuse_change"),
    ("streams", "never_changed", "BEFORE UPDATE OR DELETE OR TRUNCATE ON riskcore.streams", "refuse_change"),
)
_VIEW = (
    "CREATE VIEW riskcore.stored_events AS SELECT originator_id, seq AS originator_version, topic, state "
    "FROM riskcore.streams JOIN riskcore.events ON stream = number"
)


def _table(name: str) -> str:
    columns = [
        f"{column} {kind}{'' if column in _MAY_BE_NULL else ' NOT NULL'}"
        for table, column, kind in COLUMNS
        if table == name
    ]
    return f"CREATE TABLE riskcore.{name} ({', '.join(columns)}, PRIMARY KEY ({_KEYS[name]}))"


def _function(name: str, arguments: str, result: str, source: str) -> str:
    definer = " SECURITY DEFINER" if name == "append" else ""
    return (
        f"CREATE FUNCTION riskcore.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql{definer} "
        f"SET search_path = pg_catalog, pg_temp AS $$ {source} $$"
    )


STATEMENTS = (
    "CREATE SCHEMA IF NOT EXISTS riskcore",
    *(_table(name) for name in _KEYS),
    "ALTER TABLE riskcore.streams ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY, ADD UNIQUE (originator_id)",
    "ALTER TABLE riskcore.events ALTER COLUMN payload SET STORAGE EXTERNAL",  # It is packed already.
    _VIEW,
    *(_function(*one) for one in FUNCTIONS),
    *(
        f"CREATE TRIGGER {name} {event} FOR EACH STATEMENT EXECUTE FUNCTION riskcore.{function}()"
        for _, name, event, function in TRIGGERS
    ),
    # Its own rights are the owner's as well: an owner keeps only the right to take them back.
    "REVOKE UPDATE, DELETE, TRUNCATE ON riskcore.events, riskcore.streams, riskcore.archived FROM PUBLIC, CURRENT_USER",
    # Anybody may call a function unless it is said.
    f"REVOKE ALL ON FUNCTION riskcore.append({APPEND_ARGUMENTS}) FROM PUBLIC",
)

# Around the only deletion there is, within its transaction; nobody but the owner can do this.
SET_ASIDE = (
    "GRANT DELETE ON riskcore.events, riskcore.streams TO CURRENT_USER",
    *(f"ALTER TABLE riskcore.{table} DISABLE TRIGGER never_changed" for table in ("events", "streams")),
)
PUT_BACK = (
    *(f"ALTER TABLE riskcore.{table} ENABLE TRIGGER never_changed" for table in ("events", "streams")),
    "REVOKE DELETE ON riskcore.events, riskcore.streams FROM CURRENT_USER",
)

# ---- what is there ---------------------------------------------------------------------------------------

# Tables and views of this database, without the system's own and those of extensions: whether it is ours, its name.
THERE = (
    "SELECT nspname = 'riskcore', relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' "
    "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE pg_depend.objid = pg_class.oid AND deptype = 'e') ORDER BY 2"
)
COLUMNS_THERE = (
    "SELECT relname::text, attname::text, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class "
    "ON pg_class.oid = attrelid WHERE relnamespace = 'riskcore'::regnamespace AND relkind IN ('r', 'v', 'p', 'm', 'f') "
    'AND attnum > 0 AND NOT attisdropped ORDER BY relname COLLATE "C", attnum'
)
# Statement triggers before are type 2, after 0; insert 4, delete 8, update 16, truncate 32. O: switched on.
TRIGGERS_THERE = (
    "SELECT relname::text, tgname::text, tgtype::integer, proname::text, tgenabled::text FROM pg_trigger "
    "JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid "
    "WHERE relnamespace = 'riskcore'::regnamespace AND NOT tgisinternal ORDER BY 1, 2"
)
TRIGGERS_WANTED = tuple(
    (table, name, 4 if event.startswith("AFTER") else 2 + 8 + 16 + 32, function, "O")
    for table, name, event, function in TRIGGERS
)
FUNCTIONS_THERE = (
    "SELECT proname::text, prosrc, prosecdef FROM pg_proc WHERE pronamespace = 'riskcore'::regnamespace ORDER BY 1"
)
FUNCTIONS_WANTED = tuple(sorted((name, f" {source} ", name == "append") for name, _, _, source in FUNCTIONS))
RULES_THERE = (
    "SELECT count(*) FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class "
    "WHERE relnamespace = 'riskcore'::regnamespace AND relname <> 'stored_events'"
)
KEYS_THERE = (
    "SELECT relname::text, string_agg(attname, ', ' ORDER BY array_position(conkey, attnum)) FROM pg_constraint "
    "JOIN pg_class ON pg_class.oid = conrelid JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey) "
    "WHERE connamespace = 'riskcore'::regnamespace AND contype = 'p' AND convalidated GROUP BY 1 ORDER BY 1"
)
KEYS_WANTED = tuple(sorted(_KEYS.items()))
# Who may change what is stored; nobody must.
CHANGERS = (
    "SELECT DISTINCT CASE grantee WHEN 0 THEN 'everybody' ELSE grantee::regrole::text END "
    "FROM pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) "
    "WHERE relnamespace = 'riskcore'::regnamespace AND relname IN ('events', 'streams') "
    "AND (privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE') "
    "OR (privilege_type = 'INSERT' AND grantee <> relowner)) ORDER BY 1"
)
# Skips from stream to stream; to look at every event would take as long as to read them.
STREAMS_WITH_EVENTS = (
    "WITH RECURSIVE used(number) AS (SELECT min(stream) FROM riskcore.events UNION ALL "
    "SELECT (SELECT min(stream) FROM riskcore.events WHERE stream > used.number) FROM used "
    "WHERE used.number IS NOT NULL) SELECT number FROM used WHERE number IS NOT NULL"
)
