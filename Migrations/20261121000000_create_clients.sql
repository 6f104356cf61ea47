-- The table behind the lookup service: characters 10..<15 of a line are a client's code, the reply is its packet.

-- migrate:up
create table clients (
    id bigint generated always as identity primary key,
    code text not null unique,
    packet text not null
);

comment on table clients is 'clients of the lookup service';
comment on column clients.code is 'characters 10..<15 of a request line';
comment on column clients.packet is 'the reply to that client';

-- The two clients of the README's example session.
insert into clients (code, packet) values
    ('12345', 'dummypacketmaker012345678Dummy_12345'),
    ('klmno', 'dummypacketmaker012345678Dummy_klmno');

-- Company for them: codes 00001 to 00500.
insert into clients (code, packet)
select code, 'dummypacketmaker012345678Dummy_' || code
from (select to_char(number, 'FM00000') as code from generate_series(1, 500) as number) as generated;

-- migrate:down
drop table clients;
