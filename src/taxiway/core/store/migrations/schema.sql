CREATE TABLE account (
	username TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	display_name TEXT NOT NULL, 
	password_hash TEXT, 
	created_at BIGINT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_account PRIMARY KEY (username), 
	CONSTRAINT uq_account_subject UNIQUE (subject)
);
CREATE TABLE api_token (
	id TEXT NOT NULL, 
	token_hash TEXT NOT NULL, 
	name TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	role TEXT NOT NULL, 
	scopes TEXT, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	CONSTRAINT pk_api_token PRIMARY KEY (id), 
	CONSTRAINT uq_api_token_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_api_token_subject ON api_token (subject, id);
CREATE TABLE applied_object (
	environment TEXT NOT NULL, 
	service_key TEXT NOT NULL, 
	api_version TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	namespace TEXT NOT NULL, 
	name TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	target TEXT NOT NULL, 
	CONSTRAINT pk_applied_object PRIMARY KEY (environment, service_key, api_version, kind, namespace, name)
);
CREATE TABLE catalog_problem (
	id TEXT NOT NULL, 
	source_id TEXT NOT NULL, 
	ref TEXT, 
	location TEXT NOT NULL, 
	line INTEGER, 
	detail TEXT NOT NULL, 
	remedy TEXT NOT NULL, 
	at BIGINT NOT NULL, code TEXT DEFAULT 'invalid' NOT NULL, other_source_id TEXT, document TEXT, part TEXT, 
	CONSTRAINT pk_catalog_problem PRIMARY KEY (id)
);
CREATE INDEX ix_catalog_problem_ref ON catalog_problem (ref);
CREATE INDEX ix_catalog_problem_source_id ON catalog_problem (source_id);
CREATE TABLE catalog_shipped (
	source_id TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	CONSTRAINT pk_catalog_shipped PRIMARY KEY (source_id)
);
CREATE TABLE deployment (
	id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	service_ref TEXT NOT NULL, 
	service_uid TEXT NOT NULL, 
	service_key TEXT NOT NULL, 
	owner TEXT, 
	environment TEXT NOT NULL, 
	release_id TEXT NOT NULL, 
	previous_release_id TEXT, 
	previous_id TEXT, 
	action TEXT NOT NULL, 
	state TEXT NOT NULL, 
	health TEXT NOT NULL, 
	url TEXT, 
	revision TEXT, 
	created_at BIGINT NOT NULL, 
	deployed_at BIGINT, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_deployment PRIMARY KEY (id), 
	CONSTRAINT uq_deployment_run_id UNIQUE (run_id)
);
CREATE INDEX ix_deployment_environment_service_ref ON deployment (environment, service_ref);
CREATE INDEX ix_deployment_owner ON deployment (owner);
CREATE INDEX ix_deployment_service_ref ON deployment (service_ref);
CREATE TABLE entity (
	id INTEGER NOT NULL, 
	uid TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	namespace TEXT NOT NULL, 
	name TEXT NOT NULL, 
	type TEXT, 
	lifecycle TEXT, 
	owner TEXT, 
	system TEXT, 
	title TEXT, 
	etag TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	source_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	updated_at BIGINT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_entity PRIMARY KEY (id), 
	CONSTRAINT uq_entity_ref UNIQUE (ref), 
	CONSTRAINT uq_entity_uid UNIQUE (uid)
);
CREATE INDEX ix_entity_kind_type_ref ON entity (kind, type, ref);
CREATE INDEX ix_entity_source_id ON entity (source_id);
CREATE TABLE event (
	id TEXT NOT NULL, 
	seq BIGINT, 
	hash TEXT, 
	type TEXT NOT NULL, 
	source TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	subject_uid TEXT, 
	at BIGINT NOT NULL, 
	data TEXT NOT NULL, 
	personal_digest TEXT, 
	actor TEXT NOT NULL, 
	on_behalf_of TEXT, 
	via TEXT NOT NULL, 
	token_id TEXT, 
	owner TEXT, 
	CONSTRAINT pk_event PRIMARY KEY (id), 
	CONSTRAINT uq_event_seq UNIQUE (seq)
);
CREATE INDEX ix_event_subject_seq ON event (subject, seq);
CREATE INDEX ix_event_type_seq ON event (type, seq);
CREATE TABLE event_cursor (
	subscriber TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	failures INTEGER DEFAULT 0 NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_event_cursor PRIMARY KEY (subscriber)
);
CREATE TABLE event_personal (
	event_id TEXT NOT NULL, 
	salt BLOB NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_event_personal PRIMARY KEY (event_id)
);
CREATE TABLE idempotency (
	principal TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	request_digest TEXT NOT NULL, 
	status INTEGER, 
	headers TEXT, 
	body TEXT, 
	created_at BIGINT NOT NULL, claimer TEXT DEFAULT '' NOT NULL, subject TEXT, 
	CONSTRAINT pk_idempotency PRIMARY KEY (principal, "key")
);
CREATE TABLE lease (
	name TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	fence BIGINT NOT NULL, 
	until_at BIGINT NOT NULL, 
	host TEXT NOT NULL, 
	monotonic_until BIGINT, 
	CONSTRAINT pk_lease PRIMARY KEY (name)
);
CREATE TABLE location (
	id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	target TEXT NOT NULL, 
	repository TEXT, 
	owner TEXT, 
	registered_by TEXT NOT NULL, 
	trusted BOOLEAN DEFAULT false NOT NULL, 
	state TEXT, 
	created_at BIGINT NOT NULL, 
	refreshed_at BIGINT, 
	version INTEGER DEFAULT 1 NOT NULL, entity_ref TEXT, 
	CONSTRAINT pk_location PRIMARY KEY (id), 
	CONSTRAINT uq_location_type_target UNIQUE (type, target)
);
CREATE INDEX ix_location_repository ON location (repository);
CREATE TABLE pipeline (
	id TEXT NOT NULL, 
	repository TEXT NOT NULL, 
	repository_uid TEXT NOT NULL, 
	"commit" TEXT NOT NULL, 
	branch TEXT NOT NULL, 
	workflow TEXT NOT NULL, 
	owner TEXT, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	jobs TEXT NOT NULL, 
	digest TEXT, 
	release_id TEXT, 
	created_at BIGINT NOT NULL, 
	started_at BIGINT, 
	ended_at BIGINT, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_pipeline PRIMARY KEY (id)
);
CREATE INDEX ix_pipeline_owner ON pipeline (owner);
CREATE INDEX ix_pipeline_repository_commit ON pipeline (repository, "commit");
CREATE TABLE plugin_record (
	plugin TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	CONSTRAINT pk_plugin_record PRIMARY KEY (plugin, "key")
);
CREATE TABLE release (
	id TEXT NOT NULL, 
	service_ref TEXT NOT NULL, 
	service_uid TEXT NOT NULL, 
	owner TEXT, 
	repository TEXT NOT NULL, 
	"commit" TEXT NOT NULL, 
	version TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	score_hash TEXT NOT NULL, 
	score TEXT NOT NULL, 
	pipeline_id TEXT, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_release PRIMARY KEY (id)
);
CREATE INDEX ix_release_service_ref ON release (service_ref, created_at);
CREATE TABLE resource (
	uid TEXT NOT NULL, 
	live_key TEXT, 
	"key" TEXT NOT NULL, 
	name TEXT NOT NULL, 
	type TEXT NOT NULL, 
	class TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	service_ref TEXT NOT NULL, 
	service_uid TEXT NOT NULL, 
	owner TEXT, 
	recipe TEXT NOT NULL, 
	driver TEXT NOT NULL, 
	state TEXT NOT NULL, 
	error TEXT, 
	request TEXT NOT NULL, 
	outputs TEXT NOT NULL, 
	secrets TEXT NOT NULL, 
	inventory TEXT NOT NULL, 
	created_by_run TEXT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_resource PRIMARY KEY (uid), 
	CONSTRAINT uq_resource_live_key UNIQUE (live_key)
);
CREATE INDEX ix_resource_created_by_run ON resource (created_by_run);
CREATE INDEX ix_resource_environment_service_ref ON resource (environment, service_ref);
CREATE INDEX ix_resource_service_ref ON resource (service_ref);
CREATE TABLE role_assignment (
	member TEXT NOT NULL, 
	role TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_role_assignment PRIMARY KEY (member, role)
);
CREATE TABLE run (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	title TEXT NOT NULL, 
	state TEXT NOT NULL, 
	segment INTEGER DEFAULT 1 NOT NULL, 
	input TEXT NOT NULL, 
	definition TEXT NOT NULL, 
	subject TEXT, 
	owner TEXT, 
	parent_id TEXT, 
	request_key TEXT, 
	"plan" TEXT, 
	output TEXT, 
	error TEXT, 
	intent TEXT, 
	waiting_for TEXT, 
	wake_at BIGINT, 
	executor TEXT, 
	fence BIGINT DEFAULT 0 NOT NULL, 
	principal TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	started_at BIGINT, 
	ended_at BIGINT, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_run PRIMARY KEY (id)
);
CREATE INDEX ix_run_owner ON run (owner, id);
CREATE INDEX ix_run_state_wake_at ON run (state, wake_at);
CREATE INDEX ix_run_subject ON run (subject, id);
CREATE INDEX ix_run_waiting_for ON run (waiting_for);
CREATE UNIQUE INDEX ux_run_kind_request_key ON run (kind, request_key);
CREATE TABLE scaffolder_plan (
	id TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	template_ref TEXT NOT NULL, 
	template_etag TEXT NOT NULL, 
	body TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_scaffolder_plan PRIMARY KEY (id)
);
CREATE INDEX ix_scaffolder_plan_created_at ON scaffolder_plan (created_at);
CREATE TABLE schedule (
	name TEXT NOT NULL, 
	every_seconds INTEGER NOT NULL, 
	next_at BIGINT NOT NULL, 
	enabled BOOLEAN DEFAULT true NOT NULL, 
	CONSTRAINT pk_schedule PRIMARY KEY (name)
);
CREATE TABLE service_status (
	environment TEXT NOT NULL, 
	service_key TEXT NOT NULL, 
	service_ref TEXT, 
	deployment_id TEXT, 
	revision TEXT, 
	content TEXT, 
	sync TEXT NOT NULL, 
	health TEXT NOT NULL, 
	message TEXT NOT NULL, 
	objects TEXT NOT NULL, 
	url TEXT, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_service_status PRIMARY KEY (environment, service_key)
);
CREATE INDEX ix_service_status_service_ref ON service_status (service_ref);
CREATE TABLE session (
	id_hash TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, provider TEXT, id_token TEXT, end_session_endpoint TEXT, 
	CONSTRAINT pk_session PRIMARY KEY (id_hash)
);
CREATE INDEX ix_session_seen_at ON session (seen_at);
CREATE INDEX ix_session_subject ON session (subject);
CREATE TABLE sign_in_failure (
	id TEXT NOT NULL, 
	address TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_sign_in_failure PRIMARY KEY (id)
);
CREATE INDEX ix_sign_in_failure_address_at ON sign_in_failure (address, at);
CREATE TABLE sign_in_link (
	token_hash TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	CONSTRAINT pk_sign_in_link PRIMARY KEY (token_hash)
);
CREATE TABLE approval (
	id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	step_id TEXT NOT NULL, 
	decision TEXT NOT NULL, 
	comment TEXT NOT NULL, 
	decided_by TEXT NOT NULL, 
	decided_at BIGINT NOT NULL, 
	CONSTRAINT pk_approval PRIMARY KEY (id), 
	CONSTRAINT fk_approval_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ux_approval_run_step ON approval (run_id, step_id);
CREATE TABLE relation (
	source_id INTEGER NOT NULL, 
	type TEXT NOT NULL, 
	target TEXT NOT NULL, 
	CONSTRAINT pk_relation PRIMARY KEY (source_id, type, target), 
	CONSTRAINT fk_relation_source_id FOREIGN KEY(source_id) REFERENCES entity (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE INDEX ix_relation_target_type_source_id ON relation (target, type, source_id);
CREATE TABLE resource_use (
	resource_uid TEXT NOT NULL, 
	service_ref TEXT NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_resource_use PRIMARY KEY (resource_uid, service_ref, name), 
	CONSTRAINT fk_resource_use_resource_uid FOREIGN KEY(resource_uid) REFERENCES resource (uid) ON DELETE CASCADE
);
CREATE INDEX ix_resource_use_service_ref ON resource_use (service_ref);
CREATE TABLE run_log (
	run_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	step_id TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	stream TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_run_log PRIMARY KEY (run_id, seq), 
	CONSTRAINT fk_run_log_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE TABLE run_step (
	run_id TEXT NOT NULL, 
	id TEXT NOT NULL, 
	"index" INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	state TEXT NOT NULL, 
	recovery TEXT NOT NULL, 
	attempt INTEGER DEFAULT 0 NOT NULL, 
	definition TEXT NOT NULL, 
	output TEXT, 
	error TEXT, 
	created TEXT NOT NULL, 
	checkpoints TEXT NOT NULL, 
	started_at BIGINT, 
	ended_at BIGINT, 
	CONSTRAINT pk_run_step PRIMARY KEY (run_id, id), 
	CONSTRAINT fk_run_step_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_created_at ON idempotency (created_at);
CREATE TABLE entity_version (
	id INTEGER NOT NULL, 
	ref TEXT NOT NULL, 
	uid TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	owner TEXT, 
	source_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	started_at BIGINT NOT NULL, 
	ended_at BIGINT NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	relations TEXT NOT NULL, 
	doc BLOB NOT NULL, 
	CONSTRAINT pk_entity_version PRIMARY KEY (id)
);
CREATE INDEX ix_entity_version_ref_id ON entity_version (ref, id);
CREATE INDEX ix_entity_version_ended_at ON entity_version (ended_at);
CREATE TABLE catalog_change (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	source_id TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	via TEXT NOT NULL, 
	request_id TEXT NOT NULL, 
	state TEXT, 
	CONSTRAINT pk_catalog_change PRIMARY KEY (id)
);
CREATE INDEX ix_catalog_change_source_id_at ON catalog_change (source_id, at);
CREATE INDEX ix_catalog_change_at ON catalog_change (at);
CREATE TABLE index_change (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	entity_id INTEGER NOT NULL, 
	op INTEGER NOT NULL, 
	ref TEXT NOT NULL, 
	added BLOB, 
	removed BLOB
);
CREATE TABLE facet_key (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	CONSTRAINT pk_facet_key PRIMARY KEY (id), 
	CONSTRAINT uq_facet_key_key UNIQUE ("key")
);
CREATE TABLE facet (
	id INTEGER NOT NULL, 
	key_id INTEGER NOT NULL, 
	digest BIGINT NOT NULL, 
	value TEXT NOT NULL, 
	folded TEXT, 
	opaque BOOLEAN DEFAULT false NOT NULL, 
	CONSTRAINT pk_facet PRIMARY KEY (id)
);
CREATE INDEX ix_facet_key_id_digest ON facet (key_id, digest);
CREATE TABLE pull (
	id TEXT NOT NULL, 
	repository TEXT NOT NULL, 
	repository_uid TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	author TEXT NOT NULL, 
	owner TEXT, 
	state TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	draft BOOLEAN NOT NULL, 
	base TEXT NOT NULL, 
	head TEXT NOT NULL, 
	base_sha TEXT NOT NULL, 
	head_sha TEXT NOT NULL, 
	merging TEXT, 
	merge_sha TEXT, 
	method TEXT, 
	merged_by TEXT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_pull PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ux_pull_repository_uid_number ON pull (repository_uid, number);
CREATE INDEX ix_pull_repository_state ON pull (repository, state);
CREATE INDEX ix_pull_owner ON pull (owner);
CREATE TABLE pull_review (
	id TEXT NOT NULL, 
	pull_id TEXT NOT NULL, 
	author TEXT NOT NULL, 
	verdict TEXT NOT NULL, 
	body TEXT NOT NULL, 
	"commit" TEXT NOT NULL, 
	path TEXT, 
	line INTEGER, 
	counts BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	dismissed_at BIGINT, 
	dismissed_by TEXT, 
	dismissed_reason TEXT, 
	CONSTRAINT pk_pull_review PRIMARY KEY (id), 
	CONSTRAINT fk_pull_review_pull_id FOREIGN KEY(pull_id) REFERENCES pull (id) ON DELETE CASCADE
);
CREATE INDEX ix_pull_review_pull_id ON pull_review (pull_id, id);
CREATE TABLE commit_check (
	repository_uid TEXT NOT NULL, 
	"commit" TEXT NOT NULL, 
	name TEXT NOT NULL, 
	source TEXT NOT NULL, 
	state TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	run_id TEXT, 
	url TEXT, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_commit_check PRIMARY KEY (repository_uid, "commit", name, source)
);
CREATE TABLE catalog_file (
	source_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	CONSTRAINT pk_catalog_file PRIMARY KEY (source_id, location)
)
 WITHOUT ROWID;
CREATE TABLE scaffolder_service (
	subject TEXT NOT NULL, 
	repository TEXT NOT NULL, 
	owner TEXT, 
	template_ref TEXT NOT NULL, 
	document TEXT NOT NULL, 
	snapshot TEXT NOT NULL, 
	answers TEXT NOT NULL, 
	outputs TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	upgraded_at BIGINT, 
	pending TEXT, 
	declined TEXT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_scaffolder_service PRIMARY KEY (subject)
);
CREATE INDEX ix_scaffolder_service_repository ON scaffolder_service (repository);
CREATE INDEX ix_scaffolder_service_template_ref ON scaffolder_service (template_ref);
CREATE TABLE catalog_word (
	word TEXT NOT NULL, 
	uses INTEGER NOT NULL, 
	CONSTRAINT pk_catalog_word PRIMARY KEY (word)
)
 WITHOUT ROWID;
CREATE TABLE search_document (
	id INTEGER NOT NULL, 
	type TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	location TEXT NOT NULL, 
	owner TEXT, 
	entity_ref TEXT, 
	fields TEXT NOT NULL, 
	CONSTRAINT pk_search_document PRIMARY KEY (id)
);
CREATE INDEX ix_search_document_type_collection ON search_document (type, collection);
CREATE TABLE search_collection (
	type TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	state TEXT NOT NULL, 
	CONSTRAINT pk_search_collection PRIMARY KEY (type, collection)
)
 WITHOUT ROWID;
CREATE VIRTUAL TABLE search_fts USING fts5(title, text, tokenize='unicode61 remove_diacritics 2', prefix='3', detail=column);
CREATE INDEX ix_entity_owner ON entity (owner);
CREATE TABLE entity_doc (
	entity_id INTEGER NOT NULL, 
	doc BLOB NOT NULL, 
	facets BLOB NOT NULL, 
	CONSTRAINT pk_entity_doc PRIMARY KEY (entity_id), 
	CONSTRAINT fk_entity_doc_entity_id FOREIGN KEY(entity_id) REFERENCES entity (id) ON DELETE CASCADE
);
CREATE VIRTUAL TABLE entity_fts USING fts5(name, title, tags, body, content='', tokenize='unicode61 remove_diacritics 2', detail=column);
CREATE TABLE entity_facet (
	facet_id INTEGER NOT NULL, 
	entity_id INTEGER NOT NULL, 
	CONSTRAINT pk_entity_facet PRIMARY KEY (facet_id, entity_id)
)
 WITHOUT ROWID;
CREATE TABLE catalog_source (
	id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	settings TEXT NOT NULL, 
	cursor TEXT, 
	state TEXT NOT NULL, 
	detail TEXT, 
	counts TEXT NOT NULL, 
	run_id TEXT, 
	started_at BIGINT, 
	ended_at BIGINT, 
	complete_at BIGINT, 
	CONSTRAINT pk_catalog_source PRIMARY KEY (id)
);
CREATE TABLE catalog_source_part (
	source_id TEXT NOT NULL, 
	part TEXT NOT NULL, 
	state TEXT, 
	refs TEXT NOT NULL, 
	CONSTRAINT pk_catalog_source_part PRIMARY KEY (source_id, part)
)
 WITHOUT ROWID;
CREATE TABLE catalog_orphan (
	ref TEXT NOT NULL, 
	source_id TEXT NOT NULL, 
	since_at BIGINT NOT NULL, 
	CONSTRAINT pk_catalog_orphan PRIMARY KEY (ref)
);
CREATE INDEX ix_catalog_orphan_source_id ON catalog_orphan (source_id);
CREATE TABLE catalog_held (
	source_id TEXT NOT NULL, 
	ref TEXT NOT NULL, 
	since_at BIGINT NOT NULL, 
	CONSTRAINT pk_catalog_held PRIMARY KEY (source_id, ref)
);
CREATE TABLE catalog_repository (
	source TEXT NOT NULL, 
	name TEXT NOT NULL, 
	state TEXT NOT NULL, 
	status TEXT NOT NULL, 
	owner TEXT, 
	url TEXT NOT NULL, 
	proposal TEXT NOT NULL, 
	pull TEXT, 
	looked_at BIGINT NOT NULL, 
	CONSTRAINT pk_catalog_repository PRIMARY KEY (source, name)
)
 WITHOUT ROWID;
CREATE TABLE relation_type (
	type TEXT NOT NULL, 
	inverse TEXT NOT NULL, 
	CONSTRAINT pk_relation_type PRIMARY KEY (type)
)
 WITHOUT ROWID;
CREATE TABLE entity_property (
	entity_id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	value TEXT, 
	error TEXT, 
	inputs TEXT NOT NULL, 
	facets TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_entity_property PRIMARY KEY (entity_id, name), 
	CONSTRAINT fk_entity_property_entity_id_entity FOREIGN KEY(entity_id) REFERENCES entity (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE TABLE property_input (
	"key" TEXT NOT NULL, 
	entity_id INTEGER NOT NULL, 
	CONSTRAINT pk_property_input PRIMARY KEY ("key", entity_id), 
	CONSTRAINT fk_property_input_entity_id_entity FOREIGN KEY(entity_id) REFERENCES entity (id) ON DELETE CASCADE
)
 WITHOUT ROWID;
CREATE INDEX ix_property_input_entity_id ON property_input (entity_id);
CREATE TABLE property_pending (
	entity_id INTEGER NOT NULL, 
	depth INTEGER NOT NULL, 
	CONSTRAINT pk_property_pending PRIMARY KEY (entity_id), 
	CONSTRAINT fk_property_pending_entity_id_entity FOREIGN KEY(entity_id) REFERENCES entity (id) ON DELETE CASCADE
);
CREATE TABLE webhook (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	url TEXT NOT NULL, 
	types TEXT NOT NULL, 
	filters TEXT NOT NULL, 
	secret TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	reason TEXT, 
	cursor BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at BIGINT, 
	failing_since BIGINT, 
	created_by TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_webhook PRIMARY KEY (id), 
	CONSTRAINT uq_webhook_name UNIQUE (name)
);
CREATE TABLE webhook_delivery (
	id TEXT NOT NULL, 
	webhook_id TEXT NOT NULL, 
	seq BIGINT NOT NULL, 
	event_id TEXT NOT NULL, 
	type TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	status INTEGER, 
	error TEXT, 
	resend BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	attempted_at BIGINT NOT NULL, 
	CONSTRAINT pk_webhook_delivery PRIMARY KEY (id), 
	CONSTRAINT fk_webhook_delivery_webhook_id FOREIGN KEY(webhook_id) REFERENCES webhook (id) ON DELETE CASCADE, 
	CONSTRAINT uq_webhook_delivery_webhook_id_seq UNIQUE (webhook_id, seq)
);
CREATE INDEX ix_webhook_delivery_attempted_at ON webhook_delivery (attempted_at);
CREATE TABLE catalog_view (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	title TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	shared BOOLEAN DEFAULT 0 NOT NULL, 
	kind TEXT, 
	filters TEXT NOT NULL, 
	"query" TEXT, 
	text TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	sort TEXT, 
	created_by TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_catalog_view PRIMARY KEY (id), 
	CONSTRAINT uq_catalog_view_owner_name UNIQUE (owner, name)
);
CREATE TABLE catalog_view_default (
	subject TEXT NOT NULL, 
	view_id TEXT NOT NULL, 
	CONSTRAINT pk_catalog_view_default PRIMARY KEY (subject), 
	CONSTRAINT fk_catalog_view_default_view_id FOREIGN KEY(view_id) REFERENCES catalog_view (id) ON DELETE CASCADE
);
CREATE INDEX ix_catalog_view_default_view_id ON catalog_view_default (view_id);
CREATE TABLE entity_layer (
	ref TEXT NOT NULL, 
	source_id TEXT NOT NULL, 
	doc BLOB NOT NULL, 
	hash TEXT NOT NULL, 
	location TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	precedence INTEGER NOT NULL, 
	lists TEXT NOT NULL, 
	refused TEXT, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_entity_layer PRIMARY KEY (ref, source_id)
);
CREATE INDEX ix_entity_layer_source_id ON entity_layer (source_id);
CREATE TABLE scaffolder_draft (
	id TEXT NOT NULL, 
	template_ref TEXT NOT NULL, 
	title TEXT NOT NULL, 
	answers TEXT NOT NULL, 
	reached INTEGER NOT NULL, 
	holder TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	handed_by TEXT, 
	note TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	version INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_scaffolder_draft PRIMARY KEY (id)
);
CREATE INDEX ix_scaffolder_draft_holder ON scaffolder_draft (holder);
CREATE INDEX ix_scaffolder_draft_updated_at ON scaffolder_draft (updated_at);
CREATE TABLE scaffolder_wizard (
	id TEXT NOT NULL, 
	template_ref TEXT NOT NULL, 
	reached INTEGER NOT NULL, 
	outcome TEXT, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_scaffolder_wizard PRIMARY KEY (id)
);
CREATE INDEX ix_scaffolder_wizard_updated_at ON scaffolder_wizard (updated_at);
CREATE TABLE approval_notice (
	id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	wait TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_approval_notice PRIMARY KEY (id), 
	CONSTRAINT fk_approval_notice_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ux_approval_notice_run_wait ON approval_notice (run_id, wait, stage, number);
CREATE TABLE approval_mail (
	id TEXT NOT NULL, 
	notice_id TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	body TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at BIGINT NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_approval_mail PRIMARY KEY (id), 
	CONSTRAINT fk_approval_mail_notice_id FOREIGN KEY(notice_id) REFERENCES approval_notice (id) ON DELETE CASCADE
);
CREATE INDEX ix_approval_mail_state_next_at ON approval_mail (state, next_at);
CREATE INDEX ix_approval_mail_notice_id ON approval_mail (notice_id);
