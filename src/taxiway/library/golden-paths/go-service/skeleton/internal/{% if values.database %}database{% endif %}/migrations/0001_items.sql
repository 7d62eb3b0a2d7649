create table item (
    id bigint generated always as identity primary key,
    name text not null unique check (char_length(name) between 1 and 100),
    description text not null default '' check (char_length(description) <= 1000),
    created_at timestamptz not null default now()
);
