//! Which image, and what its root device is called.

use aws_sdk_ec2::types::Image as Described;
use skep_driver::DriverError;
use skep_driver::flags::invalid;

use crate::client::{Ec2, filter};
use crate::errors::{Effect, refusal};
use crate::options::{Image, Options};

/// Of a name and an owner. More are cut off, and the newest may be among them: the name has to say more.
const IMAGES_MAX: i32 = 1_000;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: Option<String>,
    pub(super) root_device: Option<String>,
}

pub(super) async fn find(ec2: &Ec2, options: &Options) -> Result<Found, DriverError> {
    let device = options.volume.device.clone();
    match &options.image {
        Image::OfTemplate if options.volume.root.is_some() && device.is_none() => {
            Err(invalid("amazonec2-device-name", "must be given, as the launch template chooses the image"))
        }
        Image::OfTemplate => Ok(Found { id: None, root_device: device }),
        Image::Parameter(path) => {
            let known = device.or_else(|| root_device_of_parameter(path).map(str::to_owned));
            let missing = || invalid("amazonec2-device-name", "must be given for an image of this parameter");
            // EC2 asks for the parameter itself.
            Ok(Found {
                id: Some(format!("resolve:ssm:{path}")),
                root_device: Some(known.ok_or_else(missing)?),
            })
        }
        Image::Id(id) => {
            let asked = ec2.sdk.describe_images().image_ids(id);
            let answer = asked.send().await.map_err(refusal("EC2 did not show the image", Effect::Reads))?;
            let image = answer.images().first();
            found(
                image.ok_or_else(|| invalid("amazonec2-ami", format!("there is no image {id} here")))?,
                device,
            )
        }
        Image::Newest { name, owner } => {
            let asked = ec2.sdk.describe_images().owners(owner).filters(filter("name", [name]));
            let asked = asked.filters(filter("state", ["available"])).max_results(IMAGES_MAX);
            let answer = asked.send().await.map_err(refusal("EC2 did not list images", Effect::Reads))?;
            if answer.next_token().is_some_and(|token| !token.is_empty()) {
                return Err(invalid(
                    "amazonec2-image-name",
                    format!("fits more than {IMAGES_MAX} images; say more"),
                ));
            }
            let missing = || invalid("amazonec2-image-name", format!("no image of {owner} is called {name}"));
            found(newest(answer.images()).ok_or_else(missing)?, device)
        }
    }
}

fn found(image: &Described, device: Option<String>) -> Result<Found, DriverError> {
    let device = device.or_else(|| image.root_device_name().map(str::to_owned));
    Ok(Found { id: image.image_id().map(str::to_owned), root_device: device })
}

/// Creation dates are written so that they sort; the id decides between images of one moment.
fn newest(images: &[Described]) -> Option<&Described> {
    images.iter().max_by_key(|image| (image.creation_date(), image.image_id()))
}

/// Of the publishers whose parameters are public, what their images call the root device.
fn root_device_of_parameter(path: &str) -> Option<&'static str> {
    const PUBLISHERS: [(&str, &str); 4] = [
        ("/aws/service/canonical/", "/dev/sda1"),
        ("/aws/service/debian/", "/dev/xvda"),
        ("/aws/service/ami-amazon-linux-latest/", "/dev/xvda"),
        ("/aws/service/suse/", "/dev/sda1"),
    ];
    PUBLISHERS.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, device)| *device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, created: &str) -> Described {
        Described::builder().image_id(id).creation_date(created).build()
    }

    #[test]
    fn the_newest_image_is_the_one_published_last() {
        let images = [
            image("ami-3", "2026-01-02T00:00:00.000Z"),
            image("ami-1", "2026-03-01T00:00:00.000Z"),
            image("ami-2", "2026-02-01T00:00:00.000Z"),
        ];
        assert_eq!(newest(&images).and_then(Described::image_id), Some("ami-1"));
        assert_eq!(newest(&[]), None);
    }

    #[test]
    fn known_publishers_tell_the_root_device() {
        assert_eq!(root_device_of_parameter("/aws/service/canonical/ubuntu/x"), Some("/dev/sda1"));
        assert_eq!(root_device_of_parameter("/aws/service/debian/release/13"), Some("/dev/xvda"));
        assert_eq!(root_device_of_parameter("/mine/golden"), None);
    }
}
