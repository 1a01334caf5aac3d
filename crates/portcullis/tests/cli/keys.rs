//! The master key: a change of it that stops halfway, and a file of it that is gone.

use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use portcullis_base::Clock as _;
use portcullis_server::ambient::{SystemClock, SystemRng};
use portcullis_store::{Actor, Keyring, MasterKey, Store, read_key_file};
use tempfile::TempDir;

use super::serve::write;
use super::{FILE, command, folder, portcullis, stderr, stdout};

/// Makes a folder with a store whose master key is a file that the configuration names.
fn with_key_file() -> TempDir {
    let folder = folder();
    let file = format!("[storage]\nmaster_key_file = \"master.key\"\n{FILE}");
    write(folder.path(), "portcullis.toml", &file);
    write_key(folder.path(), &MasterKey::new(&SystemRng));
    stdout(&portcullis(folder.path(), &["apply", "--yes"]));
    folder
}

fn write_key(folder: &Path, key: &MasterKey) {
    write(folder, "master.key", key.to_text().expose());
    let permissions = Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("master.key"), permissions).expect("a file");
}

fn database(folder: &Path) -> PathBuf {
    folder.join("portcullis-data/portcullis.db")
}

/// Opens the store beside the program.
async fn open(folder: &Path) -> Store {
    let key = read_key_file(&folder.join("master.key")).expect("a key");
    let url = format!("sqlite:{}", database(folder).display());
    let rng = std::sync::Arc::new(SystemRng);
    let store = Store::open(&url, Keyring::new(key), SystemClock.now(), rng).await;
    store.expect("the database opens")
}

async fn begin(store: &Store, new: &MasterKey) {
    let begun = store.begin_rotation(new.clone(), Actor::new("cli"), SystemClock.now());
    begun.await.expect("nobody else changes it");
}

#[test]
fn a_rotation_that_may_have_begun_keeps_its_key_for_the_next_attempt() {
    let folder = with_key_file();
    let writes = rusqlite::Connection::open(database(folder.path())).expect("a database");
    let refuse =
        "CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END";
    writes.execute_batch(refuse).expect("a trigger");
    let failed = stderr(&portcullis(folder.path(), &["key", "rotate"]));
    assert!(failed.contains("master.key.next is kept"), "{failed}");
    let next = folder.path().join("master.key.next");
    let kept = read_key_file(&next).expect("a key");
    writes.execute_batch("DROP TRIGGER refuse").expect("one");
    drop(writes);
    stdout(&portcullis(folder.path(), &["key", "rotate"]));
    assert!(!next.exists());
    let present = read_key_file(&folder.path().join("master.key")).expect("a key");
    assert_eq!(present.id(), kept.id());
    stdout(&portcullis(folder.path(), &["key", "list"]));
}

#[tokio::test]
async fn a_rotation_beside_one_to_another_key_is_refused_and_leaves_no_key_behind() {
    let folder = with_key_file();
    let store = open(folder.path()).await;
    let other = MasterKey::new(&SystemRng);
    begin(&store, &other).await;
    store.close().await;
    let refused = stderr(&portcullis(folder.path(), &["key", "rotate"]));
    let expected = format!("is being changed to {}", other.id().as_str());
    assert!(refused.contains(&expected), "{refused}");
    assert!(!folder.path().join("master.key.next").exists());
}

#[tokio::test]
async fn a_rotation_that_waited_ends_what_the_one_before_it_left() {
    let folder = with_key_file();
    let turn = File::open(folder.path()).expect("a folder");
    turn.lock().expect("a lock");
    let mut rotate = command(folder.path(), &["key", "rotate"]);
    rotate.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut second = rotate.spawn().expect("the program starts");
    // The database is open under the former key when this is said.
    let mut told = String::new();
    let mut errors = BufReader::new(second.stderr.take().expect("a pipe"));
    errors.read_line(&mut told).expect("a line");
    assert!(told.contains("waiting for another command"), "{told}");

    // What the first one did before it was killed.
    let store = open(folder.path()).await;
    let new = MasterKey::new(&SystemRng);
    begin(&store, &new).await;
    write_key(folder.path(), &new);
    drop(turn);
    let ended = stdout(&second.wait_with_output().expect("the program ends"));
    assert!(ended.contains("begun before is complete"), "{ended}");
    let unfinished = store.rotation_is_unfinished(&new).await;
    assert!(!unfinished.expect("the database answers"));
    store.close().await;
    stdout(&portcullis(folder.path(), &["key", "list"]));
}

#[test]
fn a_key_file_that_is_gone_is_replaced_by_hand_before_it_is_given_up() {
    let folder = with_key_file();
    std::fs::remove_file(folder.path().join("master.key")).expect("a key");
    let abandon = ["key", "abandon", "--yes"];
    let refused = stderr(&portcullis(folder.path(), &abandon));
    assert!(refused.contains("make a new one by"), "{refused}");
    write_key(folder.path(), &MasterKey::new(&SystemRng));
    let given_up = stdout(&portcullis(folder.path(), &abandon));
    let expected = "given up: secret variables: 1 in 1";
    assert!(given_up.contains(expected), "{given_up}");
}
