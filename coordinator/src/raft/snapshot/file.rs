//! One snapshot file: written once, then only read.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use prost::Message as _;
use skep_core::State;
use skep_proto::store as pb;
use skep_types::Digest;

use crate::raft::codec;
use crate::raft::types::SnapshotMeta;

const MAGIC: &[u8; 8] = b"skepsnp1";
const DIGEST_BYTES: u64 = 32;
/// A membership of a few hundred coordinators.
const META_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;

/// An open snapshot. Clones share the descriptor, so a file that is being sent may be removed.
#[derive(Debug, Clone)]
pub(in crate::raft) struct SnapshotFile {
    pub(super) path: PathBuf,
    file: Arc<File>,
    length: u64,
    digest: Digest,
}

impl SnapshotFile {
    /// Writes and syncs a new file.
    pub(super) fn write(path: &Path, meta: &SnapshotMeta, state: &State) -> io::Result<Self> {
        let mut out = Digesting {
            out: BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?),
            context: Context::new(&SHA256),
        };
        out.write_all(MAGIC)?;
        out.write_all(&codec::snapshot_meta_to_pb(meta).encode_length_delimited_to_vec())?;
        codec::write_state(state, &mut out)?;
        let digest = out.context.finish();
        out.out.write_all(digest.as_ref())?;
        let file = out.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Self::open(path)
    }

    /// Opens a file and checks its digest.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let content = length.checked_sub(DIGEST_BYTES).ok_or_else(|| damaged("it is too short"))?;
        let mut expected = Digest([0; 32]);
        file.read_exact_at(&mut expected.0, content)?;
        let mut context = Context::new(&SHA256);
        let mut reader = (&file).take(content);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            context.update(&buffer[..read]);
        }
        if context.finish().as_ref() != expected.0 {
            return Err(damaged("its digest does not match"));
        }
        Ok(Self { path: path.to_owned(), file: Arc::new(file), length, digest: expected })
    }

    pub(in crate::raft) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::raft) fn length(&self) -> u64 {
        self.length
    }

    pub(in crate::raft) fn digest(&self) -> Digest {
        self.digest
    }

    /// At most `bytes_max` bytes from an offset; none at the end.
    pub(in crate::raft) fn chunk(&self, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut chunk = vec![0; left.min(bytes_max)];
        self.file.read_exact_at(&mut chunk, offset)?;
        Ok(chunk)
    }

    pub(in crate::raft) fn read(&self) -> io::Result<(SnapshotMeta, State)> {
        let content = self.length.saturating_sub(DIGEST_BYTES);
        let reader = At { file: &self.file, offset: 0, end: content };
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
        let mut magic = [0; MAGIC.len()];
        reader.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(damaged("it is no snapshot of a version known here"));
        }
        let length = codec::read_length(&mut reader)?;
        if length > META_BYTES {
            return Err(damaged("its head is too long"));
        }
        let mut head = vec![0; length];
        reader.read_exact(&mut head)?;
        let meta = pb::SnapshotMeta::decode(head.as_slice()).map_err(io::Error::other)?;
        let meta = codec::snapshot_meta_from_pb(meta)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok((meta, codec::StateReader::default().read(&mut reader)?))
    }
}

fn damaged(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

struct Digesting<W> {
    out: W,
    context: Context,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.context.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a part of a file without its cursor, which others share.
struct At<'a> {
    file: &'a File,
    offset: u64,
    end: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let read = self.file.read_at(&mut buffer[..wanted], self.offset)?;
        self.offset += u64::try_from(read).map_err(io::Error::other)?;
        Ok(read)
    }
}
