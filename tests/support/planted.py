"""One row in every table of every schema, all of one place: what walls are tested with."""

from shared.auth import Place

CONTACT, OTHER_CONTACT, ORG, OTHER_ORG, BINDING, ORG_BINDING = 101, 102, 201, 202, 301, 302
"""Ids of the rows that others hang on."""

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
KEY = "'\\x000102030405060708090a0b0c0d0e0f'"

ROWS = {
    "app.tenant": "",
    "app.workspace": "",
    "app.api_key": "INSERT INTO app.api_key"
    " (public_id, tenant_id, workspace_id, name, hash, scopes)"
    " VALUES ('key_{ulid}', {tenant}, {workspace}, 'k', sha256('k'), '{{contacts:read}}')",
    "app.user_account": "INSERT INTO app.user_account (tenant_id, name) VALUES ({tenant}, 'ada')",
    "app.idempotency_key": "INSERT INTO app.idempotency_key (tenant_id, workspace_id, api_key,"
    " name, fingerprint, claim, claimed_until, expires_at)"
    " VALUES ({tenant}, {workspace}, 'key_{ulid}', 'n', sha256('r'), 'c', now(), now())",
    "contact.contact": "INSERT INTO contact.contact"
    " (id, tenant_id, public_id, status, source_id, version, created_at, updated_at)"
    " VALUES (101, {tenant}, 'con_{ulid}', 'active', 1, 1, now(), now()),"
    " (102, {tenant}, 'con_2', 'active', 1, 1, now(), now())",
    "contact.organisation": "INSERT INTO contact.organisation"
    " (id, tenant_id, public_id, name, source_id, version, created_at, updated_at)"
    " VALUES (201, {tenant}, 'cmp_{ulid}', 'Acme', 1, 1, now(), now()),"
    " (202, {tenant}, 'cmp_2', 'Acme Germany', 1, 1, now(), now())",
    "contact.contact_identifier": "INSERT INTO contact.contact_identifier (tenant_id,"
    " identifier_type, normalized_value, contact_id, source_id, created_at)"
    " VALUES ({tenant}, 'email', 'ada@acme.test', 101, 1, now())",
    "contact.contact_email": "INSERT INTO contact.contact_email"
    " (tenant_id, contact_id, email, source_id, created_at)"
    " VALUES ({tenant}, 101, 'ada@acme.test', 1, now())",
    "contact.contact_phones": "INSERT INTO contact.contact_phones"
    " (tenant_id, contact_id, e164_number, source_id, created_at)"
    " VALUES ({tenant}, 101, '+49301234567', 1, now())",
    "contact.org_identifier": "INSERT INTO contact.org_identifier"
    " (tenant_id, identifier_type, normalized_value, org_id, created_at)"
    " VALUES ({tenant}, 'domain', 'acme.test', 201, now())",
    "contact.contact_employment": "INSERT INTO contact.contact_employment"
    " (tenant_id, contact_id, org_id, company_name, is_current, source_id, created_at)"
    " VALUES ({tenant}, 101, 201, 'Acme', true, 1, now())",
    "contact.workspace_contact_binding": "INSERT INTO contact.workspace_contact_binding"
    " (id, tenant_id, workspace_id, contact_id, title, notes, labels, groups, created_at,"
    " updated_at) VALUES (301, {tenant}, {workspace}, 101, 'CTO', 'private', '{{VIP}}',"
    " '{{grp_00000000000000000000000000}}', now(), now())",
    "contact.contact_latest_data": "INSERT INTO contact.contact_latest_data"
    " VALUES (101, 301, {tenant}, now())",
    "contact.source_record": "INSERT INTO contact.source_record (tenant_id, workspace_id,"
    " source_id, record_key, revision, content_hash, signal_id, occurred_at, received_at,"
    " applied_at, contact_id, applied_version, confidence, facts, raw)"
    " VALUES ({tenant}, {workspace}, 1, {key}, 1, {key}, 's', now(), now(), now(), 101, 1, 1,"
    """ '{{"addresses": [{{"city": "Bonn", "country": "DE"}}], "birthday": "1815-12-10","""
    """ "education": [{{"school": "Home"}}], "skills": [{{"name": "Mathematics"}}],"""
    """ "certifications": [{{"name": "CKA"}}], "languages": [{{"language": "en"}}],"""
    """ "social_posts": [{{"platform": "instagram", "url": "https://post.test/1"}}],"""
    """ "websites": ["https://ada.test"]}}', '{{}}')""",
    "contact.contact_dedup_candidates": "INSERT INTO contact.contact_dedup_candidates"
    " (tenant_id, contact_id_a, contact_id_b, reason, evidence, created_at)"
    " VALUES ({tenant}, 101, 102, 'r', '[]', now())",
    "contact.contact_event": "INSERT INTO contact.contact_event (tenant_id, entity_id,"
    " entity_public_id, sequence_number, event_id, event_type, payload, workspace_id, cause,"
    " occurred_at) VALUES ({tenant}, 101, 'con_{ulid}', 1, 'e', 'BindingChanged', '{{}}',"
    " {workspace}, 'c', now())",
    "contact.organisation_event": "INSERT INTO contact.organisation_event (tenant_id, entity_id,"
    " entity_public_id, sequence_number, event_id, event_type, payload, workspace_id, cause,"
    " occurred_at) VALUES ({tenant}, 201, 'cmp_{ulid}', 1, 'e', 'BindingChanged', '{{}}',"
    " {workspace}, 'c', now())",
    "contact.command_log": "INSERT INTO contact.command_log"
    " VALUES ('cmd_{ulid}', {tenant}, 101, 1, now())",
    "contact.match_weights": "INSERT INTO contact.match_weights (tenant_id, version, weights)"
    " VALUES ({tenant}, 1, '{{}}')",
    "contact.match_settings": "INSERT INTO contact.match_settings"
    " (tenant_id, version, weights_version) VALUES ({tenant}, 1, 1)",
    "contact.match_decision": "INSERT INTO contact.match_decision (tenant_id, entity_id_a,"
    " entity_id_b, scorer, probability, tier, action, merge_threshold,"
    " merge_and_flag_threshold, review_threshold, match_signals, cause)"
    " VALUES ({tenant}, 101, 102, 'evidence', 0.7, 'high', 'merge_and_flag', 0.95, 0.6, 0.2,"
    ' \'[{{"signal": "email", "level": "equal", "weight": 9.5, "left": "a", "right": "a"}}]\','
    " 's')",
    "contact.identity_judgement": "INSERT INTO contact.identity_judgement"
    " (id, tenant_id, judgement, entity_id_a, entity_id_b, cause)"
    " VALUES (1, {tenant}, 'cannot_link', 101, 102, 'cmd')",
    "contact.identity_judgement_record": "INSERT INTO contact.identity_judgement_record"
    " VALUES (1, {tenant}, {key}, 'a')",
    "contact.contact_merge_log": "INSERT INTO contact.contact_merge_log (tenant_id, merge_id,"
    " merged_into_id, merged_from_id, named_into_id, named_from_id, by_person, workspace_id,"
    " merge_reason, absorbed_contact_snapshot) VALUES ({tenant}, 'mrg_{ulid}', 101, 102, 101,"
    " 102, true, {workspace}, 'manual', '{{}}')",
    "contact.org_merge_log": "INSERT INTO contact.org_merge_log (tenant_id, merge_id,"
    " merged_into_id, merged_from_id, named_into_id, named_from_id, by_person, workspace_id,"
    " merge_reason, absorbed_org_snapshot) VALUES ({tenant}, 'mrg_{ulid}', 201, 202, 201, 202,"
    " true, {workspace}, 'manual', '{{}}')",
    "contact.org_dedup_candidates": "INSERT INTO contact.org_dedup_candidates"
    " (tenant_id, org_id_a, org_id_b, reason, evidence) VALUES ({tenant}, 201, 202, 'r', '[]')",
    "contact.shared_identifier": "INSERT INTO contact.shared_identifier"
    " (tenant_id, identifier_type, normalized_value, sharing, reason)"
    " VALUES ({tenant}, 'email', 'info@acme.test', 'shared', 'pattern')",
    "contact.shared_identifier_contact": "INSERT INTO contact.shared_identifier_contact"
    " VALUES ({tenant}, 'email', 'info@acme.test', 101)",
    "contact.reconsideration": "INSERT INTO contact.reconsideration"
    " (tenant_id, identifier_type, normalized_value, contact_id, tenant, cause, received_at)"
    " VALUES ({tenant}, 'email', 'info@acme.test', 101, 'ten_x', 'sig_x', now())",
    "contact.last_matched": "INSERT INTO contact.last_matched VALUES (101, {tenant}, 90)",
    "contact.term_frequency": "INSERT INTO contact.term_frequency"
    " VALUES ({tenant}, 'family_name', 'lovelace', 0, 3)",
    "contact.attribute_frequency": "INSERT INTO contact.attribute_frequency"
    " VALUES ({tenant}, 'family_name', 0, 90)",
    "contact.activity": "INSERT INTO contact.activity (id, public_id, tenant_id, workspace_id,"
    " activity_type, source_id, record_key, occurred_at)"
    " VALUES (1, 'act_{ulid}', {tenant}, {workspace}, 'call', 1, {key}, now())",
    "contact.contact_activities": "INSERT INTO contact.contact_activities (activity_id,"
    " participant_no, tenant_id, workspace_id, contact_id, activity_type, role, occurred_at,"
    " applied_version) VALUES (1, 0, {tenant}, {workspace}, 101, 'call', 'caller', now(), 1)",
    "contact.activity_record": "INSERT INTO contact.activity_record (tenant_id, workspace_id,"
    " source_id, record_key, revision, content_hash, signal_id, stated_at, received_at,"
    " applied_at, activity_id, raw)"
    " VALUES ({tenant}, {workspace}, 1, {key}, 1, {key}, 's', now(), now(), now(), 1, '{{}}')",
    "contact.retracted_import": "INSERT INTO contact.retracted_import (tenant_id, workspace_id,"
    " import_id) VALUES ({tenant}, {workspace}, 'imp_{ulid}')",
    "contact.contact_event_snapshots": "INSERT INTO contact.contact_event_snapshots"
    " VALUES ({tenant}, 101, 50, '{{}}', now(), {workspace})",
    "contact.contact_erasure": "INSERT INTO contact.contact_erasure"
    " (contact_public_id, tenant_id, ground, requested_at)"
    " VALUES ('con_gone', {tenant}, 'data_subject', now())",
    "contact.org_bindings": "INSERT INTO contact.org_bindings"
    " (id, tenant_id, workspace_id, org_id, notes)"
    " VALUES (302, {tenant}, {workspace}, 201, 'private')",
    "contact.org_relation": "INSERT INTO contact.org_relation"
    " (tenant_id, from_org_id, to_org_id, kind, source_id)"
    " VALUES ({tenant}, 202, 201, 'acquisition', 1)",
    "contact.org_source_record": "INSERT INTO contact.org_source_record (tenant_id, source_id,"
    " record_key, revision, content_hash, signal_id, occurred_at, received_at, org_id,"
    " applied_version, facts, raw)"
    " VALUES ({tenant}, 1, {key}, 1, {key}, 's', now(), now(), 201, 1,"
    """ '{{"funding": [{{"type": "seed", "date": "2020-02-02"}}],"""
    """ "technologies": [{{"name": "PostgreSQL"}}], "phones": [{{"raw": "030 1"}}]}}', '{{}}')""",
    "contact.organisation_event_snapshots": "INSERT INTO contact.organisation_event_snapshots"
    " VALUES ({tenant}, 201, 50, '{{}}', now())",
    "contact.custom_field": "INSERT INTO contact.custom_field"
    " (public_id, tenant_id, workspace_id, entity_type, key, label, type)"
    " VALUES ('fld_{ulid}', {tenant}, {workspace}, 'contact', 'shoe', 'Shoe', 'number')",
    "contact.tag": "INSERT INTO contact.tag (id, public_id, tenant_id, workspace_id, name)"
    " OVERRIDING SYSTEM VALUE VALUES (1, 'tag_{ulid}', {tenant}, {workspace}, 'VIP')",
    "contact.contact_group": "INSERT INTO contact.contact_group"
    " (id, public_id, tenant_id, workspace_id, name)"
    " OVERRIDING SYSTEM VALUE VALUES (1, 'grp_00000000000000000000000000', {tenant}, {workspace},"
    " 'Board')",
    "contact.contact_field_audit": "INSERT INTO contact.contact_field_audit (tenant_id,"
    " entity_type, entity_id, workspace_id, field_name, old_value, new_value, cause)"
    " VALUES ({tenant}, 'contact_binding', 301, {workspace}, 'stage', 'new', 'lost', 's')",
    "contact.blocking_key": "INSERT INTO contact.blocking_key VALUES ({tenant}, 7, 101, {key})",
    "contact.record_home": "INSERT INTO contact.record_home"
    " VALUES ({tenant}, {key}, 1, 101, 0, 'own')",
    "contact.identifier_home": "INSERT INTO contact.identifier_home"
    " VALUES ({tenant}, 'email', 'ada@acme.test', 101)",
    "contact.binding_home": "INSERT INTO contact.binding_home"
    " VALUES (101, {workspace}, {tenant}, 'new', NULL, false, 'user')",
    "contact.hot_block": "INSERT INTO contact.hot_block VALUES ({tenant}, 7)",
    "read.contact_view": "INSERT INTO read.contact_view (tenant_id, workspace_id, public_id,"
    " version, status, source, detail, created_at, updated_at)"
    " VALUES ({tenant}, {workspace}, 'con_{ulid}', 1, 'active', 's', '{{}}', now(), now())",
    "read.timeline": "INSERT INTO read.timeline (tenant_id, contact_public_id, version,"
    " workspace_id, event_type, occurred_at, recorded_at, summary)"
    " VALUES ({tenant}, 'con_{ulid}', 1, {workspace}, 'BindingChanged', now(), now(), '{{}}')",
    "read.activity": "INSERT INTO read.activity (tenant_id, workspace_id, contact_public_id,"
    " activity_public_id, version, kind, occurred_at, source, detail)"
    " VALUES ({tenant}, {workspace}, 'con_{ulid}', 'act_{ulid}', 1, 'call', now(), 'call_log',"
    " '{{}}')",
    "read.company_view": "INSERT INTO read.company_view (tenant_id, public_id, version, name,"
    " source, created_at) VALUES ({tenant}, 'cmp_{ulid}', 1, 'Acme', 's', now())",
    "search.document": "INSERT INTO search.document (tenant_id, workspace_id, public_id, version,"
    " name, haystack, words) VALUES ({tenant}, {workspace}, 'con_{ulid}', 1, 'ada', 'ada', 'ada')",
    "enrichment.enrichment_requests": "INSERT INTO enrichment.enrichment_requests (public_id,"
    " tenant_id, workspace_id, entity_type, entity_public_id, source, status, idempotency_key,"
    " question) VALUES ('req_{ulid}', {tenant}, {workspace}, 'contact', 'con_{ulid}', 'apollo',"
    " 'pending', 'i', '{{}}')",
    "ingest.import_file": "INSERT INTO ingest.import_file"
    " (public_id, tenant_id, workspace_id, file_digest, report)"
    " VALUES ('imp_{ulid}', {tenant}, {workspace}, {key}, '{{}}')",
    "ingest.import_row": "INSERT INTO ingest.import_row"
    " (import_id, number, tenant_id, workspace_id, line, class)"
    " VALUES (1, 1, {tenant}, {workspace}, 2, 'new')",
    "ingest.import_verdict": "INSERT INTO ingest.import_verdict"
    " (import_id, number, tenant_id, workspace_id, verdict)"
    " VALUES (1, 1, {tenant}, {workspace}, 'created')",
    "ingest.import_row_key": "INSERT INTO ingest.import_row_key"
    " (import_id, key, number, tenant_id, workspace_id) VALUES (1, 7, 1, {tenant}, {workspace})",
    "ingest.import_erased": "INSERT INTO ingest.import_erased"
    " (import_id, tenant_id, workspace_id, key) VALUES (1, {tenant}, {workspace}, 7)",
    "ingest.import_person": "INSERT INTO ingest.import_person"
    " (import_id, record_key, tenant_id, workspace_id, key)"
    " VALUES (1, '\\x00112233445566778899aabbccddeeff', {tenant}, {workspace}, 7)",
    "ingest.import_chunk": "INSERT INTO ingest.import_chunk"
    " (import_id, begins, tenant_id, workspace_id, data)"
    " VALUES (1, 0, {tenant}, {workspace}, '\\x00')",
    "ingest.column_mapping": "INSERT INTO ingest.column_mapping"
    " (tenant_id, workspace_id, name, choices) VALUES ({tenant}, {workspace}, 'club', '{{}}')",
    "ingest.remote_connection": "INSERT INTO ingest.remote_connection"
    " (public_id, tenant_id, workspace_id, kind, name, credentials)"
    " VALUES ('rmc_{ulid}', {tenant}, {workspace}, 'gmail', 'Mine', {key})",
    "ingest.remote_record": "INSERT INTO ingest.remote_record"
    " (connection_id, tenant_id, workspace_id, record_id, reading)"
    " VALUES (1, {tenant}, {workspace}, 'people/c1', '')",
}
"""Table → the statement that plants a row, in an order that foreign keys allow.

Tenant and workspace are there already: they are the place.
"""


def plant(table: str, place: Place) -> str:
    """Say how a row of a place gets into a table; nothing where the place itself is one."""
    return ROWS[table].format(
        tenant=place.tenant_id, workspace=place.workspace_id, ulid=ULID, key=KEY
    )
