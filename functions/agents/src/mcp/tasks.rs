//! The tasks extension: a task is a request, and its id is the request's.

use domain::problem::Problem;
use serde_json::{Value, json};

use super::tools::ToolAnswer;
use crate::asking::{Asking, Brief};

/// How often a client should ask, in milliseconds.
const POLL_MS: u64 = 2_000;

/// Returns the task of a request that was created just now.
pub(crate) async fn created(asking: &Asking, brief: &Brief) -> Result<Value, Problem> {
    let mut task = task(asking, brief).await?;
    if let Some(fields) = task.as_object_mut() {
        fields.insert("resultType".to_owned(), "task".into());
        // A repeated call may find the request at its end. The client still reads the result from the task.
        fields.insert("status".to_owned(), "working".into());
    }
    Ok(task)
}

/// Returns a task, with the answer of its tool once it is over.
pub(crate) async fn get(asking: &Asking, id: &str) -> Result<Value, Problem> {
    let brief = asking.read(id).await?;
    let mut task = task(asking, &brief).await?;
    if let Some(fields) = task.as_object_mut().filter(|_| status(&brief) == "completed") {
        fields.insert("result".to_owned(), ToolAnswer::of(brief).result());
    }
    Ok(task)
}

/// Cancels a task. One that is over stays as it is.
pub(crate) async fn cancel(asking: &Asking, id: &str) -> Result<Value, Problem> {
    if !asking.read(id).await?.over {
        asking.cancel(id).await?;
    }
    Ok(json!({}))
}

async fn task(asking: &Asking, brief: &Brief) -> Result<Value, Problem> {
    let times = asking.times(&brief.id).await?;
    let life = times.created_at.until(times.expires_at).as_secs();
    let kept = life.saturating_add(times.retention_seconds);
    Ok(json!({
        "taskId": brief.id,
        "status": status(brief),
        "statusMessage": brief.say,
        "createdAt": times.created_at,
        "lastUpdatedAt": times.changed_at,
        "ttlMs": kept.saturating_mul(1_000),
        "pollIntervalMs": POLL_MS,
    }))
}

fn status(brief: &Brief) -> &'static str {
    match (brief.over, brief.state.as_str()) {
        (false, _) => "working",
        (true, "cancelled") => "cancelled",
        (true, _) => "completed",
    }
}
