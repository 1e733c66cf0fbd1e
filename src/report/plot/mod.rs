use crate::claim::MomentTables;
use crate::objective::Objective;
pub struct Picture<'a> {
    pub title: &'a str,
    pub moments: &'a MomentTables,
    pub paths: Option<PathPicture<'a>>,
}
pub struct PathPicture<'a> {
    pub objective: &'a dyn Objective,
    pub optimizer: Vec<Vec<[f64; 2]>>,
    pub sde: Vec<Vec<[f64; 2]>>,
}
pub struct Image {
    pub name: String,
    pub bytes: Vec<u8>,
}
pub fn draw(_p: &Picture) -> Result<Vec<Image>, String> {
    Ok(vec![])
}
