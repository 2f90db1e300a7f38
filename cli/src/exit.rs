//! The exit codes: stable, in one table, printed into the reference.

use tonic::Code;

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    NotFound,
    Conflict,
    Unavailable,
    Forbidden,
    Detached,
}

impl Exit {
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::Conflict,
        Self::Unavailable,
        Self::Forbidden,
        Self::Detached,
    ];

    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Conflict => 4,
            Self::Unavailable => 5,
            Self::Forbidden => 6,
            // As shells count a process that an interrupt ended.
            Self::Detached => 130,
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "the operation failed, wholly or in part; or anything not named below",
            Self::Usage => "the command line or the request is wrong",
            Self::NotFound => "something named does not exist",
            Self::Conflict => {
                "the state does not allow it: it exists already, has changed meanwhile, or has to change first"
            }
            Self::Unavailable => {
                "no coordinator could answer, or a bound was reached: trying again later helps"
            }
            Self::Forbidden => "the certificate is not believed, or its person may not do this",
            Self::Detached => "interrupted; what was begun goes on",
        }
    }

    pub fn of(code: Code) -> Self {
        match code {
            Code::Ok => Self::Done,
            Code::InvalidArgument => Self::Usage,
            Code::NotFound => Self::NotFound,
            Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted | Code::OutOfRange => {
                Self::Conflict
            }
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => Self::Unavailable,
            Code::PermissionDenied | Code::Unauthenticated => Self::Forbidden,
            Code::Cancelled | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
                Self::Failed
            }
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
