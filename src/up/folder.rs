//! The folder `.bedside/`: everything that `bedside up` keeps, and the lock that only one of them holds.

use anyhow::{Context as _, bail};
use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The longest path that a socket file may have: `sun_path` of unix(7) less the file's own name and the closing zero.
const LONGEST_SOCKET_FOLDER: usize = 108 - ".s.PGSQL.5432.lock".len() - 1;

/// `.bedside/`, held by this process until it ends.
pub struct Folder {
    path: PathBuf,
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder below `parent` if it is missing, and takes its lock.
    pub fn open(parent: &Path) -> anyhow::Result<Self> {
        let path = std::path::absolute(parent)?.join(".bedside");
        make(&path, 0o711)?;
        let lock = lock(&path.join("lock"))?;
        Ok(Self { path, _lock: Some(lock) })
    }

    /// The folder below `parent` as somebody else may hold it, to look only; `None` when there is none.
    pub fn look(parent: &Path) -> Option<Self> {
        let path = std::path::absolute(parent).ok()?.join(".bedside");
        path.is_dir().then_some(Self { path, _lock: None })
    }

    /// The path of something in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the socket file of `name` lies: in the folder, or in the temporary one where that path would be too long.
    pub fn socket_folder(&self, name: &str) -> PathBuf {
        let inside = self.join(name);
        if inside.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
            return inside;
        }
        std::env::temp_dir().join(format!("bedside-{:016x}-{name}", fingerprint(&inside)))
    }

    /// Writes a file that only its owner may read.
    pub fn write_private(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.join(name);
        let unfinished = self.join(&format!("{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&unfinished, &path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Begins anew: everything is deleted but the lock and the log, which are this process's own.
    pub fn clear(&self) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            match entry.file_name().to_str() {
                Some("lock" | "bedside.log") => continue,
                _ if entry.file_type()?.is_dir() => std::fs::remove_dir_all(entry.path())?,
                _ => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }
}

/// Makes a folder with exactly these permissions, or corrects those of the one that is there.
pub fn make(path: &Path, mode: u32) -> anyhow::Result<()> {
    let problem = || format!("cannot use the folder {}", path.display());
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error).with_context(problem),
        _ => {}
    }
    let metadata = std::fs::symlink_metadata(path).with_context(problem)?;
    if !metadata.is_dir() {
        bail!("{} is in the way: it is not a folder", path.display());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).with_context(problem)
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "Bedside already runs from this folder (process {}). Stop it there with Ctrl-C first.",
                holder.trim()
            );
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock .bedside"),
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// FNV-1a: the same path has the same name at every start, two clones have different ones.
fn fingerprint(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("bedside-folder-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        path
    }

    #[test]
    fn two_starts_from_one_folder_are_refused() {
        let parent = parent("lock");
        let first = Folder::open(&parent).expect("nobody else uses it");
        let refusal = Folder::open(&parent).err().expect("the first one holds it").to_string();
        assert!(refusal.contains(&std::process::id().to_string()), "{refusal}");
        drop(first);
        Folder::open(&parent).expect("free again");
        std::fs::remove_dir_all(parent).expect("just made");
    }

    #[test]
    fn a_private_file_is_readable_by_its_owner_only() {
        let parent = parent("private");
        let folder = Folder::open(&parent).expect("nobody else uses it");
        folder.write_private("ready.json", "{}").expect("writable");
        let mode = std::fs::metadata(folder.join("ready.json")).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(parent).expect("just made");
    }

    #[test]
    fn a_socket_below_a_long_path_moves_to_a_short_one() {
        let parent = parent(&"long".repeat(30));
        let folder = Folder::open(&parent).expect("nobody else uses it");
        assert!(folder.socket_folder("postgres-socket").as_os_str().len() <= LONGEST_SOCKET_FOLDER);
        std::fs::remove_dir_all(parent).expect("just made");
    }
}
