-- An outbox of version 1, made by the program of commit a51ead3 (table, senders' sentences and all) and dumped.
PRAGMA journal_mode=WAL;
BEGIN TRANSACTION;
CREATE TABLE items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    server TEXT NOT NULL,
    username TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    "values" TEXT NOT NULL,
    follows TEXT REFERENCES items(key),
    created TEXT NOT NULL,
    rig TEXT NOT NULL,
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    hint TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    server_id TEXT,
    sent_at TEXT,
    misplaced TEXT,
    revision INTEGER NOT NULL,
    moment TEXT
);
INSERT INTO "items" VALUES(1,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a01','weighing','https://alyx.example','jose','1368afed-5fc8-405e-b314-ea8f6f429571','ea01','{"weight": 23.0, "date_time": "2026-11-21T12:00:00.076266"}',NULL,'2026-11-27T11:14:55.900878+00:00','rig1','{}','sent','','',1,0,'11111111-1111-4111-8111-111111111111','2026-11-21T12:01:00+00:00',NULL,2,'2026-11-21T12:00:00.076266');
INSERT INTO "items" VALUES(2,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a02','weighing','https://alyx.example','jose','1368afed-5fc8-405e-b314-ea8f6f429571','ea01','{"weight": 230.0, "date_time": "2026-11-21T12:00:00.076267"}',NULL,'2026-11-27T11:14:55.904079+00:00','rig1','{}','discarded','weight: too heavy.','',0,0,NULL,NULL,NULL,2,'2026-11-21T12:00:00.076267');
INSERT INTO "items" VALUES(3,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a03','water','https://alyx.example','anna','1368afed-5fc8-405e-b314-ea8f6f429572','ea02','{"water_administered": 0.8, "date_time": "2026-11-21T12:05:00.076268", "water_type": "Water"}',NULL,'2026-11-27T11:14:55.908044+00:00','rig1','{}','unsure','alyx.example dropped the connection.','It is looked for on Alyx after 5 min, and sent again if it is not there.',1,0,NULL,NULL,NULL,2,'2026-11-21T12:05:00.076268');
INSERT INTO "items" VALUES(4,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a04','weighing','https://alyx.example','jose','1368afed-5fc8-405e-b314-ea8f6f429573','ea03','{"weight": 24.5, "date_time": "2026-11-21T12:00:00.076269"}',NULL,'2026-11-27T11:14:55.909376+00:00','rig1','{}','unsure','The token of jose is not valid.','Log in to https://alyx.example as jose: it is sent then.',1,0,NULL,NULL,NULL,3,'2026-11-21T12:00:00.076269');
INSERT INTO "items" VALUES(5,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a05','session','https://alyx.example','anna','1368afed-5fc8-405e-b314-ea8f6f429574','ea04','{"start_time": "2026-11-21T10:00:00", "task_protocol": "wait_task"}',NULL,'2026-11-27T11:14:55.910824+00:00','rig1','{"session_uuid": "u"}','parked','task_protocol: not known.','Correct what it names and try again.',0,0,NULL,NULL,NULL,1,NULL);
INSERT INTO "items" VALUES(6,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a06','water','https://alyx.example','anna','1368afed-5fc8-405e-b314-ea8f6f429574','ea04','{"water_administered": 0.5, "date_time": "2026-11-21T11:00:00.076271"}','8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a05','2026-11-27T11:14:55.910882+00:00','rig1','{"session_uuid": "u"}','waiting','It waits for its session, which is parked.','Correct, retry or discard the session.',0,0,NULL,NULL,NULL,2,'2026-11-21T11:00:00.076271');
INSERT INTO "items" VALUES(7,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a07','weighing','https://alyx.example','jose','1368afed-5fc8-405e-b314-ea8f6f429575','ea05','{"weight": 24.5, "date_time": "2026-11-21T12:00:00.076272"}',NULL,'2026-11-27T11:14:55.962646+00:00','rig1','{}','waiting','jose is not logged in at https://alyx.example.','Log in to https://alyx.example as jose: it is sent then.',0,0,NULL,NULL,NULL,0,'2026-11-21T12:00:00.076272');
INSERT INTO "items" VALUES(8,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a08','weighing','https://alyx.example','anna','1368afed-5fc8-405e-b314-ea8f6f429576','ea06','{"weight": 24.5, "date_time": "2026-11-21T12:00:00.076273"}',NULL,'2026-11-27T11:14:55.974175+00:00','rig1','{}','waiting','alyx.example answered 503. It is tried again at 12:10:00.','',0,0,NULL,NULL,NULL,1,'2026-11-21T12:00:00.076273');
INSERT INTO "items" VALUES(9,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a09','weighing','https://alyx.example','olu','1368afed-5fc8-405e-b314-ea8f6f429577','ea07','{"weight": 24.5, "date_time": "2026-11-21T12:00:00.076274"}',NULL,'2026-11-27T11:14:55.980584+00:00','rig1','{}','waiting','','',0,0,NULL,NULL,NULL,0,'2026-11-21T12:00:00.076274');
INSERT INTO "items" VALUES(10,'8c6c9f4e-1c67-4b3f-93c9-1b8f6f0f3a0a','weighing','https://alyx.example','jose','1368afed-5fc8-405e-b314-ea8f6f429578','ea08','{"weight": 20.0, "date_time": "2026-11-21T12:00:00.076275"}',NULL,'2026-11-27T11:14:55.981647+00:00','rig1','{}','waiting','','',0,0,NULL,NULL,NULL,0,'2026-11-21T12:00:00.076275');
CREATE INDEX items_by_state ON items(state);
CREATE INDEX items_by_animal ON items(server, subject_id, state);
CREATE UNIQUE INDEX items_by_moment ON items(server, moment);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('items',10);
COMMIT;
PRAGMA user_version=1;
